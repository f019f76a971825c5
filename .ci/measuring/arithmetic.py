"""How much a device can multiply, and how much a network does: the two sides of a share of the limit."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.utils.flop_counter import FlopCounterMode

from bench.machine.workers import exact_gpu
from bench.protocols import Encoder
from measuring.machine import seconds

TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_TRIES = 5


def operations(encoder: Encoder, crop: torch.Tensor) -> int:
    """Operations that the torch twin takes for one crop [1, 3, size, size]; a multiply-add is two."""
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        encoder.twin()(crop)
    return int(counter.get_total_flops())


def limit(precision: str, device: str, side: int, maps: int) -> float:
    """Operations a second of a product of large matrices or of a convolution; the best of five runs of each.

    On some processors a library's convolutions use wider registers than its matrix product.

    Args:
        precision: `fp32`, `bf16` or `fp16`.
        device: `cpu`, `cuda`, `cuda:1`.
        side: of the square matrices.
        maps: images that are convolved at a time.
    """
    kind, channels = TYPES[precision], 256
    a, b = (torch.ones(side, side, dtype=kind, device=device) for _ in range(2))
    images = torch.ones(maps, channels, 56, 56, dtype=kind, device=device)
    kernels = torch.ones(channels, channels, 3, 3, dtype=kind, device=device)
    work: list[tuple[float, Callable[[], torch.Tensor]]] = [
        (2 * side**3, lambda: a @ b),
        (2 * images.numel() * channels * 9, lambda: torch.conv2d(images, kernels, padding=1)),
    ]
    with exact_gpu():
        return max(count / seconds(run, device) for count, run in work for _ in range(_TRIES))
