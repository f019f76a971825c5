"""A surrogate made ready: folded, in the right precision and layout, with gradients of its input."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812 - the name every torch program uses
from torch import nn

from bench.optim.networks.folding import bfloat16_on_cpu, fold
from bench.optim.networks.graphs import Graphed
from bench.optim.networks.layers import StridedDepthwise
from bench.optim.randomness import chances
from bench.protocols import Encoder

Precision = Literal["fp32", "bf16"]
LossOf = Callable[[torch.Tensor], torch.Tensor]


def precision_for(precision: str, device: torch.device) -> Precision:
    """What `auto` means on a device: bfloat16 where the hardware multiplies it, else float32.

    On a CPU, networks that `convolves` does not hold for stay in float32 nevertheless.

    Raises:
        ValueError: for anything but auto, fp32 and bf16.
    """
    named: dict[str, Precision] = {"fp32": "fp32", "bf16": "bf16"}
    if precision in named:
        return named[precision]
    if precision != "auto":
        raise ValueError(f"precision {precision!r} is not auto, fp32 or bf16")
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    return "bf16" if torch.backends.mkldnn.is_available() and _cpu_multiplies_bfloat16() else "fp32"


def _cpu_multiplies_bfloat16() -> bool:
    # private names of torch 2.6 to 2.13; absent ones mean: stay with float32
    tests = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(bool(getattr(torch.cpu, test, bool)()) for test in tests)


def convolves(network: nn.Module, size: int) -> bool:
    """Whether convolutions do at least half of a network's multiplications; others are its linear layers.

    A transformer's linear layers gain nothing from bfloat16 on a CPU (docs/performance.md). A rule
    decides and not a trial, since the same command has to give the same cloaks again.

    Args:
        network: Takes [1, 3, size, size].
        size: The side of its crops in pixels.
    """
    done = {nn.Conv2d: 0, nn.Linear: 0}

    def count(layer: nn.Module, inputs: object, out: torch.Tensor) -> None:
        del inputs
        if isinstance(layer, nn.Conv2d):
            done[nn.Conv2d] += out.numel() * layer.weight[0].numel()
        elif isinstance(layer, nn.Linear):
            done[nn.Linear] += out.numel() * layer.in_features

    handles = [layer.register_forward_hook(count) for layer in network.modules()]
    try:
        with torch.no_grad():
            network(torch.zeros((1, 3, size, size)))
    finally:
        for handle in handles:
            handle.remove()
    return done[nn.Conv2d] >= done[nn.Linear]


@dataclass(frozen=True, slots=True)
class Dropped:
    """What a network goes without in one pass: a random share of the values behind each convolution.

    Attributes:
        share: In [0, 1).
        keys: int64 [n] of `bench.optim.randomness.photo_keys`, one for each crop.
        place: What the pass is told from others by.
    """

    share: float
    keys: torch.Tensor
    place: tuple[int, ...]


@contextmanager
def _without(network: nn.Module, dropped: Dropped) -> Iterator[None]:
    """Hooks that drop values while they are in place; the others grow, so that the mean stays."""

    def dropping(number: int) -> Callable[[nn.Module, object, torch.Tensor], torch.Tensor]:
        def hook(module: nn.Module, inputs: object, values: torch.Tensor) -> torch.Tensor:
            del module, inputs
            place = (*dropped.place, number)
            gone = chances(dropped.keys, place, values.shape[1:], dropped.share)
            return values.masked_fill(gone, 0) / (1 - dropped.share)

        return hook

    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | StridedDepthwise)]
    handles = [layer.register_forward_hook(dropping(number)) for number, layer in enumerate(layers)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class Surrogate:
    """One encoder's network for gradients.

    Args:
        encoder: The encoder; its torch twin is folded.
        device: Where the network runs.
        precision: The precision that the network runs in: `auto`, `fp32` or `bf16`; embeddings are float32.
        batch: The length of the longest batch.
    """

    def __init__(self, encoder: Encoder, device: torch.device, precision: str, batch: int) -> None:
        network = fold(encoder.twin())
        auto, precision = precision == "auto", precision_for(precision, device)
        if auto and precision == "bf16" and device.type == "cpu":
            precision = "bf16" if convolves(network, encoder.card.crop.size) else "fp32"
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

    def gradient(
        self, crops: torch.Tensor, loss: LossOf, dropped: Dropped | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Embed crops, and differentiate a loss of their embeddings.

        Args:
            crops: float32 [n, 3, size, size] in [0, 1].
            loss: Unit embeddings [n, dimensions] -> loss [n]; each entry depends on its own row alone.
            dropped: What the network goes without; None for nothing.

        Returns:
            The embeddings as constants, and the gradient [n, 3, size, size] of the summed loss.
        """
        leaf = crops.detach().requires_grad_(True)
        with nullcontext() if dropped is None else _without(self.network, dropped):
            # a CUDA graph computes what it did when it was captured: hooks need the network itself
            embeddings = self._embedded(leaf, self._call if dropped is None else self.network)
            (gradient,) = torch.autograd.grad(loss(embeddings).sum(), leaf)
        return embeddings.detach(), gradient

    def _embedded(self, crops: torch.Tensor, call: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        x = crops.to(self._dtype, memory_format=torch.channels_last)
        return F.normalize(call(x).float(), dim=1)
