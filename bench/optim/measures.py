"""How far photos are from their originals, differentiably: the measures that `bench.descent` names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name every torch program uses

from bench.descent import Descent, Dssim, Lpips, Measure, MsSsim, Pictures, Ready, SquaredChange
from bench.errors import UserError
from bench.metrics import lpips as metrics
from bench.metrics._ssim import C1, C2, EXPONENTS, GAUSS, WINDOW, scales_for

SURROUND = WINDOW - 1
"""How many pixels around the face region a part holds: every window with a changed pixel then lies in it."""

_GREY = 128.0
"""Taken off before values are squared: float32 loses fewer digits of a variance."""

_LEAST = 1e-6
"""What a factor of MS-SSIM is at least: the slope of a power of 0 has no bound."""


def measure_of(chosen: Measure | Ready, lpips: metrics.Lpips | None = None) -> Measure:
    """The function of a measure.

    Args:
        chosen: The measure.
        lpips: What LPIPS is measured with.

    Raises:
        UserError: LPIPS is asked for, and there is nothing to measure it with.
    """
    if isinstance(chosen, Dssim):
        return dssim
    if isinstance(chosen, MsSsim):
        return ms_ssim_loss
    if isinstance(chosen, SquaredChange):
        return squared_change
    if isinstance(chosen, Lpips):
        if lpips is None:
            raise UserError("this defense measures LPIPS, and there are no weights for it.")
        return partial(_of_faces, lpips.between)
    return chosen


def measured_by(descent: Descent, lpips: metrics.Lpips | None) -> Descent:
    """The same descent, with a function in the place of every measure; see `measure_of`."""
    limits = (replace(limit, measure=measure_of(limit.measure, lpips)) for limit in descent.limits)
    penalties = (replace(each, measure=measure_of(each.measure, lpips)) for each in descent.penalties)
    return replace(descent, limits=tuple(limits), penalties=tuple(penalties))


def squared_change(pictures: Pictures) -> torch.Tensor:
    """Sum of squared changes of values in [0, 1]: [n]."""
    return ((pictures.levels - pictures.original) / 255).square().sum((1, 2, 3))


def dssim(pictures: Pictures) -> torch.Tensor:
    """(1 - SSIM) / 2 of the whole photo or of the face's box, whichever is larger: [n].

    The value is that of `bench.metrics.perceptual` on the whole photo: windows that see no change have an
    SSIM of 1, and all others lie in the part. A region too small for a window counts as unchanged.
    """
    light, structure = _losses(pictures.original, pictures.levels)
    loss = (light + structure - light * structure).mean(1)
    rows = torch.arange(loss.shape[1], device=loss.device)[None, :, None]
    columns = torch.arange(loss.shape[2], device=loss.device)[None, None, :]
    zero = torch.zeros_like(pictures.sizes[:, 0])
    inside = _windows(rows, columns, (zero, zero, pictures.sizes[:, 1], pictures.sizes[:, 0]))
    face = _windows(rows, columns, tuple(pictures.faces.unbind(1)))
    sides = (pictures.photos - SURROUND).clamp_min(0)
    whole = (loss * inside).sum((1, 2)) / sides.prod(1).clamp_min(1)
    near = (loss * (inside & face)).sum((1, 2)) / face.sum((1, 2)).clamp_min(1)
    return torch.maximum(whole, near) / 2


def ms_ssim_loss(pictures: Pictures) -> torch.Tensor:
    """1 - MS-SSIM of each face's box: [n].

    The value is that of `bench.metrics.perceptual` on the box. A box too small for a window counts as
    unchanged.
    """
    return _of_faces(_multi_scale, pictures)


def _of_faces(
    measured: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], pictures: Pictures
) -> torch.Tensor:
    """A measure of two pictures [3, rows, columns], of each face's box: [n]."""
    faces = zip(pictures.original, pictures.levels, pictures.faces.tolist(), strict=True)
    return torch.stack(
        [
            measured(original[:, top:bottom, left:right], levels[:, top:bottom, left:right])
            for original, levels, (left, top, right, bottom) in faces
        ]
    )


def _multi_scale(original: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
    """1 - MS-SSIM of one picture [3, rows, columns], the mean over R, G and B."""
    scales = scales_for(*original.shape[1:])
    if not scales:
        return 0 * levels.sum()
    exponents = EXPONENTS[:scales] / EXPONENTS[:scales].sum()
    product = torch.ones_like(original[:, 0, 0])
    for scale, exponent in enumerate(exponents.tolist()):
        if scale:
            original, levels = F.avg_pool2d(original, 2), F.avg_pool2d(levels, 2)
        light, structure = _losses(original, levels)
        kept = 1 - structure
        if scale == scales - 1:
            kept = kept * (1 - light)
        product = product * kept.mean((1, 2)).clamp_min(_LEAST) ** exponent
    return 1 - product.mean()


def _windows(rows: torch.Tensor, columns: torch.Tensor, box: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Which windows, by their first row and column, lie inside a box: bool [n, rows, columns]."""
    left, top, right, bottom = (side[:, None, None] for side in box)
    return (rows >= top) & (rows + WINDOW <= bottom) & (columns >= left) & (columns + WINDOW <= right)


def _losses(original: torch.Tensor, levels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What the luminance and the structure of every window lack to 1: each [..., rows, columns].

    SSIM is the product of the two (Wang et al. 2004, equation 13). With d = b - a, the luminance lacks
    mean(d)^2 / (mean(a)^2 + mean(b)^2 + C1) and the structure var(d) / (var(a) + var(b) + C2). Nothing
    cancels, so float32 is enough however small the change.
    """
    a, d = original - _GREY, levels - original
    b = a + d
    mean_a, mean_d = _blurred(a), _blurred(d)
    mean_b = mean_a + mean_d
    spread = (_blurred(a * a + b * b) - mean_a * mean_a - mean_b * mean_b).clamp_min(0)
    structure = (_blurred(d * d) - mean_d * mean_d).clamp_min(0) / (spread + C2)
    light = mean_d * mean_d / ((mean_a + _GREY) ** 2 + (mean_b + _GREY) ** 2 + C1)
    return light, structure


def _blurred(planes: torch.Tensor) -> torch.Tensor:
    """Gaussian mean around every pixel whose window fits: [..., rows - 10, columns - 10]."""
    blurred: torch.Tensor = _Blur.apply(planes)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return blurred


class _Blur(torch.autograd.Function):
    """The Gaussian mean, with a slope that is one as well.

    Derived step by step, every shift would write a plane of its own in the slope.
    """

    @staticmethod
    def forward(ctx: Any, planes: torch.Tensor) -> torch.Tensor:
        return _summed(planes)

    @staticmethod
    def backward(ctx: Any, slope: torch.Tensor) -> torch.Tensor:
        # the window is symmetric: a pixel gets from its windows what a window gets from its pixels
        return _summed(F.pad(slope, (SURROUND,) * 4))


def _summed(planes: torch.Tensor) -> torch.Tensor:
    """Weighed sums of shifted planes, along rows and along columns.

    For one channel and eleven taps that is three times as fast on a CPU as a convolution.
    """
    for side in (-1, -2):
        length = planes.shape[side] - SURROUND
        total = planes.narrow(side, 0, length) * float(GAUSS[0])
        for shift in range(1, WINDOW):
            total.add_(planes.narrow(side, shift, length), alpha=float(GAUSS[shift]))
        planes = total
    return planes
