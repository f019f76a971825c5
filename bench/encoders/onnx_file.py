"""Encoders that come as an ONNX file: onnxruntime to embed, a torch twin for gradients.

The file's one interface: RGB float NCHW in [0, 1] in, an embedding out that is not normalised; colour
order, scaling and inner crops are part of the graph.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import onnxruntime
import torch
from torch import nn

from bench.encoders.networks import embed, frozen
from bench.encoders.onnx_twin import from_onnx
from bench.types import EncoderCard

_CUDA = "CUDAExecutionProvider"
_CPU = "CPUExecutionProvider"


class OnnxEncoder:
    """One ONNX file as an encoder. See `bench.protocols.Encoder`.

    Attributes:
        card: what it is.
        runtime: what `embed` really runs on, read back from the session and not assumed, such as
            `onnxruntime 1.32.0 CPUExecutionProvider`.
    """

    def __init__(self, card: EncoderCard, path: Path, device: str = "cpu") -> None:
        """Read the file.

        Args:
            card: of the encoder.
            path: of the file, already verified (`bench.weights.find`).
            device: `cpu`, or `cuda` / `cuda:1`; there onnxruntime's CUDA provider embeds when it is
                really there, and the torch twin when it is not. Never the CPU in silence.
        """
        self.card = card
        self._device = torch.device(device)
        self._data = path.read_bytes()
        self._session = self._open()
        if self._session is None:
            self.runtime = f"torch {torch.__version__} {self._device}"
        else:
            self.runtime = f"onnxruntime {onnxruntime.__version__} {self._session.get_providers()[0]}"

    def embed(self, crops: torch.Tensor) -> torch.Tensor:
        """Float32 [n, 3, size, size] in [0, 1] -> unit float32 [n, dimensions]. See the protocol.

        Raises:
            EncoderFault: for output that is not finite, or zero.
        """
        if self._session is None:
            return embed(self.twin(), crops, self.card.name, self.card.dimensions)
        return embed(self._run, crops, self.card.name, self.card.dimensions)

    def twin(self) -> nn.Module:
        """The same graph in torch, for gradients; made when first asked for."""
        return self._twin

    @cached_property
    def _twin(self) -> nn.Module:
        return frozen(from_onnx(self._data), str(self._device))

    def _open(self) -> onnxruntime.InferenceSession | None:
        """A session on the device that was asked for; None where onnxruntime has no provider for it."""
        gpu = self._device.type == "cuda"
        if gpu and _CUDA not in onnxruntime.get_available_providers():
            return None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # photos run side by side instead, see bench.workers
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # kernels chosen by shape, in full precision: the defaults try them out and use TF32
        exact = {"device_id": self._device.index or 0, "cudnn_conv_algo_search": "HEURISTIC", "use_tf32": 0}
        session = onnxruntime.InferenceSession(
            self._data, options, providers=[(_CUDA, exact)] if gpu else [_CPU]
        )
        # a provider that does not start falls back to the CPU without a word: ask what it became
        return None if gpu and session.get_providers()[0] != _CUDA else session

    def _run(self, crops: torch.Tensor) -> torch.Tensor:
        assert self._session is not None
        (raw,) = self._session.run(None, {"input": crops.detach().cpu().numpy()})
        return torch.from_numpy(raw).to(crops.device)
