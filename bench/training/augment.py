"""Damage of platforms, cameras and simple defenses, applied to training crops on the device."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name every torch program uses

_Uniform = Callable[[int], torch.Tensor]

_SIZES = (36, 44, 52, 64, 80)
_REACH = 5


def augment(crops: torch.Tensor, generator: torch.Generator, rng: np.random.Generator) -> torch.Tensor:
    """Damage crops. An eighth of the batch stays clean except for its colours.

    A batch comes in random order, so each kind of damage gets slices of it. In eighths: Gaussian noise (2,
    standard deviation up to 20/255), sign noise (1, up to 16/255), blur (1), down- and up-sampling (1), a
    rectangle of one colour (1), blur and then noise (1), none (1).

    Args:
        crops: float [n, 3, size, size] in [0, 1]; changed in place.
        generator: The generator on the crops' device, for everything that differs from crop to crop.
        rng: The generator for everything that a slice has in common.

    Returns:
        float [n, 3, size, size] in [0, 1].
    """
    n = len(crops)
    cuts = [n * k // 8 for k in range(9)]

    def uniform(count: int) -> torch.Tensor:
        return torch.rand((count, 1, 1, 1), generator=generator, device=crops.device)

    def normal(like: torch.Tensor) -> torch.Tensor:
        return torch.randn(like.shape, generator=generator, device=crops.device)

    crops = _recolour(crops, uniform)
    noisy, signed, blurred, small, hidden, both = (
        crops[cuts[a] : cuts[b]] for a, b in ((0, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7))
    )
    for part in blurred.chunk(2):
        part.copy_(blur(part, rng.uniform(0.4, 2.2)))
    for part in small.chunk(2):
        part.copy_(_resampled(part, int(rng.choice(_SIZES))))
    for part in both.chunk(2):
        part.copy_(blur(part, rng.uniform(0.3, 1.2)))
    noisy.add_(normal(noisy) * uniform(len(noisy)) * (20 / 255))
    both.add_(normal(both) * uniform(len(both)) * (12 / 255))
    signed.add_(normal(signed).sign() * uniform(len(signed)) * (16 / 255))
    hidden.copy_(_hidden(hidden, uniform))
    return crops.clamp_(0, 1)


def blur(crops: torch.Tensor, sigma: float) -> torch.Tensor:
    """Gaussian blur with repeated edges; sigma is in pixels."""
    x = torch.arange(-_REACH, _REACH + 1, device=crops.device, dtype=crops.dtype)
    kernel = torch.exp(-x.square() / (2 * sigma * sigma))
    kernel = (kernel / kernel.sum()).repeat(3, 1)
    crops = F.pad(crops, (_REACH, _REACH, _REACH, _REACH), mode="replicate")
    crops = F.conv2d(crops, kernel[:, None, None, :], groups=3)
    return F.conv2d(crops, kernel[:, None, :, None], groups=3)


def _recolour(crops: torch.Tensor, uniform: _Uniform) -> torch.Tensor:
    n = len(crops)
    contrast, bright = 0.85 + 0.3 * uniform(n), 0.12 * (uniform(n) - 0.5)
    warmth = torch.cat([0.95 + 0.1 * uniform(n) for _ in range(3)], 1)
    grey = crops.mean(1, keepdim=True)
    crops = grey + (crops - grey) * (0.75 + 0.5 * uniform(n))
    return (((crops - 0.5) * contrast + 0.5 + bright) * warmth).clamp_(0, 1)


def _resampled(crops: torch.Tensor, size: int) -> torch.Tensor:
    small = F.interpolate(crops, size=(size, size), mode="bilinear", antialias=True)
    return F.interpolate(small, size=crops.shape[-2:], mode="bilinear", align_corners=False)


def _hidden(crops: torch.Tensor, uniform: _Uniform) -> torch.Tensor:
    n, _, height, width = crops.shape
    ys = torch.arange(height, device=crops.device)[None, None, :, None]
    xs = torch.arange(width, device=crops.device)[None, None, None, :]
    across, down = width * uniform(n), height * uniform(n)
    half_w, half_h = width * (0.05 + 0.1 * uniform(n)), height * (0.05 + 0.1 * uniform(n))
    inside = ((xs - across).abs() < half_w) & ((ys - down).abs() < half_h)
    colour = torch.cat([uniform(n) for _ in range(3)], 1)
    return torch.where(inside, colour, crops)
