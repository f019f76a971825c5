"""A TorchScript file as an encoder.

Such a file is a program: torch runs what is in it. Its card must state its digest, and torch gets no other
bytes than those with that digest (design/009-encoders-from-files.md).
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import torch
from torch import nn

from bench.encoders.networks import embed, frozen
from bench.encoders.preprocessing import Prepared, sample
from bench.errors import UserError
from bench.store.reasons import reason
from bench.store.weights import read
from bench.types import EncoderCard

_FAULTS = (RuntimeError, TypeError, AttributeError, IndexError)
"""What torch raises for a program that does not run, or that gives something else than rows."""


_NOT_LOADED = (RuntimeError, ValueError, EOFError, LookupError, TypeError, AttributeError, MemoryError)
"""What torch raises for a file that is no program, or a part of one."""


class TorchScriptEncoder:
    """One TorchScript file as an encoder. See `bench.protocols.Encoder`.

    Attributes:
        card: The encoder's card.
        runtime: The library and the device that `embed` runs on.
    """

    def __init__(self, card: EncoderCard, path: Path, device: str = "cpu") -> None:
        """Check the digest, load, and try it on one crop.

        Args:
            card: The encoder's card, which states the digest.
            path: The file.
            device: `cpu`, `cuda`, `cuda:1`.

        Raises:
            UserError: if the file has another digest, does not load, or is not what its card says.
        """
        data = read(path, card.sha256)
        self.card = card
        self.runtime = f"torch {torch.__version__} {device} TorchScript"
        program = _Program(_loaded(data, path))
        self._net = frozen(Prepared(program, card.preprocessing), device)
        self._try(path, device)

    def embed(self, crops: torch.Tensor) -> torch.Tensor:
        """Float32 [n, 3, size, size] in [0, 1] -> unit float32 [n, dimensions]. See the protocol.

        Raises:
            EncoderFault: for output that is not finite, or zero.
        """
        return embed(self._net, crops, self.card.name, self.card.dimensions, _FAULTS)

    def raw(self, crops: torch.Tensor) -> torch.Tensor:
        """See `bench.encoders.trial.Tried`."""
        out: torch.Tensor = self._net(crops)
        return out

    def twin(self) -> nn.Module:
        """The program itself behind its preprocessing."""
        return self._net

    def _try(self, path: Path, device: str) -> None:
        size = self.card.crop.size
        try:
            with torch.no_grad():
                out = self._net(sample(size, 1).to(device))
        except IndexError as error:  # a tensor of fewer than two axes, where rows are expected
            raise UserError(f"{path} gives no row of numbers a face, and an encoder does.") from error
        except (RuntimeError, TypeError, AttributeError) as error:
            raise UserError(
                f"{path} does not run on a {size} x {size} crop, as its card says: {reason(error)}"
            ) from error
        if out.shape[1] != self.card.dimensions:
            raise UserError(
                f"{path} gives {out.shape[1]} numbers a face, and its card says dimensions "
                f"{self.card.dimensions}: correct the card."
            )


class _Program(nn.Module):
    """A script module that torch.fx leaves alone."""

    def __init__(self, script: nn.Module) -> None:
        super().__init__()
        self.script = script

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not isinstance(x, torch.Tensor):
            raise TypeError("torch.fx cannot trace a TorchScript program")
        # its optimiser specialises a program after the first calls, and bits could then change
        with torch.jit.optimized_execution(False):  # type: ignore[attr-defined]  # exported in part
            out = self.script(x)
        if not isinstance(out, torch.Tensor):
            raise TypeError(f"it gives a {type(out).__name__}, and an encoder gives one tensor")
        return out


def _loaded(data: bytes, path: Path) -> nn.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript is what the user has
            module: nn.Module = torch.jit.load(io.BytesIO(data), map_location="cpu")
    except _NOT_LOADED as error:
        raise UserError(f"{path} is not a whole TorchScript file: {reason(error)}") from error
    return module
