"""An ONNX file as an encoder: onnxruntime embeds, a torch twin gives gradients.

Without preprocessing on the card the file takes RGB float NCHW in [0, 1]. It gives an embedding that is not
normalised. Names of input and output, a fixed batch and float16 input are read off the file.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import onnxruntime
import torch
from torch import nn

from bench.encoders.families.onnx_file.graph import interface, parse
from bench.encoders.faults import EncoderFault
from bench.encoders.networks import embed, frozen
from bench.encoders.preprocessing import Prepare, sample
from bench.encoders.sessions import CPU, FAULTS, open_session
from bench.errors import RefusedError, UserError
from bench.store.reasons import reason
from bench.store.weights import read
from bench.types import EncoderCard

if TYPE_CHECKING:
    from bench.encoders.families.onnx_file.graph import Interface

_CUDA = "CUDAExecutionProvider"

_NO_ROWS: tuple[type[Exception], ...] = (*FAULTS, EncoderFault)

ALIKE = 0.9999
"""Least cosine between what onnxruntime and the torch twin give for one crop."""


class OnnxEncoder:
    """One ONNX file as an encoder. See `bench.protocols.Encoder`.

    Attributes:
        card: The encoder's card.
        runtime: The library, version and provider that `embed` really runs on, read back from the session and
            not assumed, such as `onnxruntime 1.32.0 CPUExecutionProvider`.
    """

    def __init__(self, card: EncoderCard, path: Path, device: str = "cpu") -> None:
        """Read the file, and try it on one crop.

        Args:
            card: The encoder's card.
            path: The file, verified.
            device: `cpu`, `cuda`, `cuda:1`. On a GPU onnxruntime's CUDA provider embeds if it starts, and the
                torch twin if it does not; the CPU never stands in for a GPU.

        Raises:
            UserError: if the file is no ONNX file, does not run, or is not what its card says.
        """
        self.card = card
        self._path = path
        self._device = torch.device(device)
        self._data = read(path, card.sha256)
        self._interface: Interface = interface(parse(self._data, str(path)), card, str(path))
        self._prepare = Prepare(card.preprocessing)
        self._session = self._open()
        if self._session is None:
            self.runtime = f"torch {torch.__version__} {self._device}"
        else:
            self.runtime = f"onnxruntime {onnxruntime.__version__} {self._session.get_providers()[0]}"
            self._try()

    @property
    def session(self) -> onnxruntime.InferenceSession | None:
        """The session of onnxruntime; None where the torch twin embeds."""
        return self._session

    def embed(self, crops: torch.Tensor) -> torch.Tensor:
        """Float32 [n, 3, size, size] in [0, 1] -> unit float32 [n, dimensions]. See the protocol.

        Raises:
            EncoderFault: for output that is not finite, or zero.
        """
        if self._session is None:
            return embed(self.twin(), crops, self.card.name, self.card.dimensions)
        return embed(self.raw, crops, self.card.name, self.card.dimensions, FAULTS)

    def twin(self) -> nn.Module:
        """The same graph in torch, for gradients; made when it is first needed.

        Raises:
            RefusedError: if the graph has no torch counterpart, or one that computes something else.
        """
        return self._twin

    @cached_property
    def _twin(self) -> nn.Module:
        from bench.encoders.families.onnx_file.twin import from_onnx

        name, fixed = self.card.name, self._interface.batch is not None
        if self._session is None:  # nothing to compare with: it embeds itself
            return frozen(from_onnx(self._data, name, self._prepare, one_by_one=fixed), str(self._device))
        crops = sample(self.card.crop.size, 2)
        truth = torch.from_numpy(np.concatenate([self._raw(crop[None]) for crop in crops])).double()
        why = ""
        # a graph may declare any batch, and have a fixed one in a reshape
        for one_by_one in (True,) if fixed else (False, True):
            twin = from_onnx(self._data, name, self._prepare, one_by_one=one_by_one)
            try:
                with torch.no_grad():
                    cosine = float(nn.functional.cosine_similarity(twin(crops).double(), truth).min())
            except (RuntimeError, ValueError, TypeError, IndexError) as error:
                why = reason(error)
                continue
            if cosine >= ALIKE:
                return frozen(twin, str(self._device))
            why = f"it gives other embeddings than onnxruntime, cosine {cosine:.4f}"
        raise RefusedError(
            f"encoder {name!r} cannot be a surrogate: its torch twin is not the same function ({why}). "
            "As --encoder it works."
        )

    def _open(self) -> onnxruntime.InferenceSession | None:
        """A session on the encoder's device; None where onnxruntime has no provider for it."""
        gpu = self._device.type == "cuda"
        if gpu and _CUDA not in onnxruntime.get_available_providers():
            return None
        # kernels are chosen by shape, in full precision: the defaults measure kernels and use TF32
        exact = {"device_id": self._device.index or 0, "cudnn_conv_algo_search": "HEURISTIC", "use_tf32": 0}
        try:
            session = open_session(self._data, [(_CUDA, exact)] if gpu else [CPU])
        except FAULTS as error:
            raise UserError(f"{self._path} does not load: {reason(error)}") from error
        # a provider that does not start falls back to the CPU without a word: see which one it is
        return None if gpu and session.get_providers()[0] != _CUDA else session

    def _try(self) -> None:
        """Run one crop, since a graph need not declare its sizes.

        Raises:
            UserError: if the graph does not run, or gives another number of values than the card says.
        """
        try:
            raw = self._raw(sample(self.card.crop.size, 1))
        except FAULTS as error:
            size = self.card.crop.size
            raise UserError(
                f"{self._path} does not run on a {size} x {size} crop, as its card says: {reason(error)}"
            ) from error
        if raw.size != self.card.dimensions:  # of the one crop
            raise UserError(
                f"{self._path} gives {raw.size} numbers a face, and its card says dimensions "
                f"{self.card.dimensions}: correct the card."
            )
        if self._interface.batch is None:
            try:
                takes_two = len(self._raw(sample(self.card.crop.size, 2))) == 2
            except _NO_ROWS:
                takes_two = False
            if not takes_two:  # it declares any batch and takes one crop
                self._interface = replace(self._interface, batch=1)

    def raw(self, crops: torch.Tensor) -> torch.Tensor:
        """See `bench.encoders.trial.Tried`; by onnxruntime."""
        return torch.from_numpy(self._raw(crops)).to(crops.device)

    def _raw(self, crops: torch.Tensor) -> npt.NDArray[np.float32]:
        """Embeddings [n, …] as the file gives them; the last crop fills up a fixed batch."""
        assert self._session is not None
        values = self._prepare(crops.detach().cpu()).numpy().astype(self._interface.dtype, copy=False)
        take = self._interface.batch or len(values)
        parts = []
        for start in range(0, len(values), take):
            part = values[start : start + take]
            full = np.concatenate([part, np.repeat(part[-1:], take - len(part), 0)])
            (raw,) = self._session.run([self._interface.output], {self._interface.input: full})
            parts.append(self._rows(raw, take)[: len(part)])
        return np.concatenate(parts).astype(np.float32, copy=False)

    def _rows(self, raw: object, crops: int) -> npt.NDArray[np.generic]:
        """What the file gave for some crops, as rows; there may be another number of them.

        Raises:
            EncoderFault: if the file gave no numbers, or numbers that make no rows.
        """
        name = self.card.name
        if not isinstance(raw, np.ndarray) or raw.dtype.kind not in "fiu":
            given = raw.dtype if isinstance(raw, np.ndarray) else type(raw).__name__
            raise EncoderFault(f"encoder {name!r} gives {given}, and an encoder gives numbers")
        rows = len(raw) if raw.ndim > 1 else crops
        if raw.ndim < 2 and raw.size % crops:
            raise EncoderFault(f"encoder {name!r} gives {raw.size} numbers for {crops} crops")
        return raw.reshape(rows, raw.size // rows if rows else 0)
