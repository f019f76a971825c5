"""Bilinear sampling whose gradient is the same bits every time, on a GPU too."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name every torch program uses

_torch: Any = torch  # operators by name carry no types

_BITS = 40
"""Fixed-point resolution: sums of up to 2^22 terms of at most 2^40 stay inside an int64."""


def bilinear(image: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    """Sample images at points: bilinear, zero outside, differentiable towards both.

    Args:
        image: float [n, channels, height, width].
        grid: [n, rows, columns, 2], x and y in grid_sample's units, pixel centres (`align_corners=False`).

    Returns:
        [n, channels, rows, columns].
    """
    out: torch.Tensor = _sample(image, grid)
    return out


class _Bilinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, image: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
        ctx.shape = image.shape
        # without a gradient towards the points only the image's shape is looked at
        ctx.save_for_backward(grid, image if ctx.needs_input_grad[1] else image.new_empty(1))
        return F.grid_sample(image, grid, mode="bilinear", padding_mode="zeros", align_corners=False)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        grid, image = ctx.saved_tensors
        gradient, towards_grid = grads[0].contiguous(), bool(ctx.needs_input_grad[1])
        exact = gradient.is_cuda
        image_gradient, grid_gradient = _torch.ops.aten.grid_sampler_2d_backward(
            gradient, image.expand(ctx.shape), grid, 0, 0, False, [not exact, towards_grid]
        )
        if exact:
            image_gradient = spread_exactly(gradient, grid, ctx.shape)
        return image_gradient, grid_gradient if towards_grid else None


_sample: Any = _Bilinear.apply


def spread_exactly(gradient: torch.Tensor, grid: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """The adjoint of bilinear sampling, summed in fixed point.

    torch's own adds floating-point numbers in whatever order a GPU's threads come, and a sign step makes a
    whole level out of a last bit. Whole numbers add up to the same in any order.

    Args:
        gradient: [n, channels, rows, columns] towards the samples.
        grid: [n, rows, columns, 2] where they were taken.
        shape: The image's shape.

    Returns:
        The gradient towards the image, of that shape.
    """
    n, channels, height, width = shape
    unit = gradient.abs().amax((1, 2, 3), keepdim=True).double().clamp_min(1e-300) / 2**_BITS
    x = (((grid[..., 0] + 1) * width - 1) / 2)[:, None]
    y = (((grid[..., 1] + 1) * height - 1) / 2)[:, None]
    left, top = x.floor(), y.floor()
    # all four neighbours of each point at once: a GPU waits for launches here, not for arithmetic
    column = torch.cat([left, left + 1, left, left + 1], 1)
    row = torch.cat([top, top, top + 1, top + 1], 1)
    weights = (1 - (x - column).abs()) * (1 - (y - row).abs())
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    place = torch.where(inside, row * width + column, 0).long().view(n, 1, -1).expand(-1, channels, -1)
    shares = (gradient[:, :, None] * (weights * inside)[:, None]).double() / unit[..., None]
    total = torch.zeros((n, channels, height * width), dtype=torch.int64, device=gradient.device)
    total.scatter_add_(2, place, shares.round().long().flatten(2))
    out: torch.Tensor = (total.view(shape) * unit).to(gradient.dtype)
    return out
