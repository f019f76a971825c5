"""A surrogate made ready: folded, in the right precision and layout, with gradients of its input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812 - the name every torch program uses
from torch import nn

from bench.optim.networks.folding import bfloat16_on_cpu, fold
from bench.optim.networks.graphs import Graphed
from bench.protocols import Encoder

Precision = Literal["fp32", "bf16"]
LossOf = Callable[[torch.Tensor], torch.Tensor]


def precision_for(asked: str, device: torch.device) -> Precision:
    """What `auto` means on a device: bfloat16 where the hardware multiplies it, else float32.

    Raises:
        ValueError: for anything but auto, fp32 and bf16.
    """
    known: dict[str, Precision] = {"fp32": "fp32", "bf16": "bf16"}
    if asked in known:
        return known[asked]
    if asked != "auto":
        raise ValueError(f"precision {asked!r} is not auto, fp32 or bf16")
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    return "bf16" if torch.backends.mkldnn.is_available() and _cpu_multiplies_bfloat16() else "fp32"


def _cpu_multiplies_bfloat16() -> bool:
    # private names of torch 2.6 to 2.13; absent ones mean: stay with float32
    tests = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(bool(getattr(torch.cpu, test, bool)()) for test in tests)


class Surrogate:
    """One encoder's network for gradients.

    Attributes:
        crop: position of its crop among the distinct crops of a run.
    """

    def __init__(self, encoder: Encoder, device: torch.device, precision: Precision, batch: int) -> None:
        network = fold(encoder.twin())
        if precision == "bf16":
            network = bfloat16_on_cpu(network) if device.type == "cpu" else network.to(torch.bfloat16)
        self._dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        self.network: nn.Module = network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack memory_format for modules
        self._call: Callable[[torch.Tensor], torch.Tensor] = self.network
        if device.type == "cuda":
            self._call = Graphed(self.network, batch)

    def embed(self, crops: torch.Tensor) -> torch.Tensor:
        """Unit embeddings [n, dimensions] of crops [n, 3, size, size] in [0, 1], without gradients."""
        with torch.no_grad():
            return self._embedded(crops, self.network)

    def gradient(self, crops: torch.Tensor, loss: LossOf) -> tuple[torch.Tensor, torch.Tensor]:
        """Embed crops, and differentiate a loss of their embeddings.

        Args:
            crops: float32 [n, 3, size, size] in [0, 1].
            loss: unit embeddings [n, dimensions] -> loss [n]; each entry depends on its own row alone.

        Returns:
            The embeddings as constants, and the gradient [n, 3, size, size] of the summed loss.
        """
        leaf = crops.detach().requires_grad_(True)
        embeddings = self._embedded(leaf, self._call)
        (gradient,) = torch.autograd.grad(loss(embeddings).sum(), leaf)
        return embeddings.detach(), gradient

    def _embedded(self, crops: torch.Tensor, call: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        x = crops.to(self._dtype, memory_format=torch.channels_last)
        return F.normalize(call(x).float(), dim=1)
