"""The differentiable crop of a patch: `bench.faces.align.warp` for patches that stay on the device.

It computes the same function (a test compares them), but takes its maps as tensors, knows how large each
patch really is inside its padding, and builds no grid on the host.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name every torch program uses

from bench.faces.align import Matrix
from bench.optim.sampling import bilinear


def factor(m: Matrix) -> int:
    """By how much a photo is averaged down before its crop: as in `bench.faces.align.warp`."""
    scale = math.sqrt(abs(float(np.linalg.det(m[:, :2]))))
    return max(1, math.floor(0.5 / scale))


def sample(pixels: torch.Tensor, grid: torch.Tensor, k: int, sizes: torch.Tensor) -> torch.Tensor:
    """Cut aligned squares out of padded patches; bilinear, black outside, differentiable.

    Args:
        pixels: float [n, 3, height, width].
        grid: [n, size, size, 2] of `grids`, for the same padded size and the same k.
        k: The whole factor by which the patches are averaged down first.
        sizes: int64 [n, 2]: height and width of each patch without its padding.

    Returns:
        [n, 3, size, size].
    """
    if k > 1:
        pixels = _averaged(pixels, k, sizes)
    return bilinear(pixels, grid)


def lattice(size: int, like: torch.Tensor) -> torch.Tensor:
    """The pixels of a crop, x and y: [1, size * size, 2], row by row."""
    axis = torch.arange(size, dtype=like.dtype, device=like.device)
    ys, xs = torch.meshgrid(axis, axis, indexing="ij")
    return torch.stack([xs, ys], -1).reshape(1, -1, 2)


def grids(
    matrices: torch.Tensor,
    height: int,
    width: int,
    size: int,
    k: int,
    dtype: torch.dtype,
    points: torch.Tensor | None = None,
) -> torch.Tensor:
    """Where each crop pixel looks in its patch, in grid_sample's units: [n, size, size, 2].

    Args:
        matrices: float64 [n, 2, 3] from patch pixels to crop pixels.
        height: The height of the padded patches.
        width: The width of the padded patches.
        size: The side of the crop.
        k: The whole factor by which the patches are averaged down first.
        dtype: The result's type; everything is computed in float64.
        points: float64 [n, size * size, 2]: Where in the crop each of its pixels looks; None for itself.
    """
    if k > 1:
        # pixel x of the small patch covers pixels kx .. kx+k-1, whose centre is kx + (k-1)/2
        lift = matrices.new_tensor([[k, 0, (k - 1) / 2], [0, k, (k - 1) / 2], [0, 0, 1.0]])
        matrices = matrices @ lift
    linear, shift = matrices[:, :, :2], matrices[:, :, 2]
    target = (lattice(size, matrices) if points is None else points) - shift[:, None]
    source = target @ torch.linalg.inv(linear).transpose(1, 2)
    # align_corners=False: -1 and 1 are the outer edges of the first and last pixel
    unit = source.new_tensor([-(-width // k), -(-height // k)])
    grid: torch.Tensor = (source + 0.5) * 2 / unit - 1
    return grid.reshape(-1, size, size, 2).to(dtype)


def _averaged(pixels: torch.Tensor, k: int, sizes: torch.Tensor) -> torch.Tensor:
    """Block means over what each patch really holds; its padding is zero and does not count."""
    height, width = pixels.shape[-2:]
    pad = (-width % k, -height % k)
    pixels = F.pad(pixels, (0, pad[0], 0, pad[1]))
    sums: torch.Tensor = F.avg_pool2d(pixels, k)
    filled = [
        (sizes[:, side, None] - k * torch.arange(sums.shape[2 + side], device=sizes.device)).clamp(0, k)
        for side in (0, 1)
    ]
    count = filled[0][:, None, :, None] * filled[1][:, None, None, :]
    weight: torch.Tensor = (k * k / count.clamp_min(1)).to(sums.dtype)
    means: torch.Tensor = sums * weight
    return means
