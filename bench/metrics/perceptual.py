"""Perceptual cost: the released 8-bit photo against its original, over the whole photo and over the face."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bench.metrics._ssim import same, similarity
from bench.metrics.lpips import Lpips
from bench.types import Face, Image

_BAND = 2**18
"""The number of pixels that are compared at a time."""

PSNR_CEILING = 100.0
"""PSNR, in dB, of two identical photos, and the largest PSNR of any two: so every record holds a number.

An RMSE of 0 says that two photos are identical. One changed value in a photo of 12 megapixels would pass 100
dB.
"""


@dataclass(frozen=True, slots=True)
class RegionCost:
    """The difference between two versions of one region of a photo.

    Attributes:
        height: The region's height in pixels. SSIM and the measures made of it depend on the resolution.
        width: The region's width in pixels.
        linf: The largest change of any value, in 1/255.
        rmse: The root mean square change, in 1/255.
        psnr: 20 log10(255 / rmse) in dB, at most `PSNR_CEILING`.
        ssim: SSIM in [-1, 1]; 1 for identical regions. NaN where a side is below 11 pixels.
        ms_ssim: MS-SSIM in [0, 1]. NaN where a side is below 11 pixels.
        ms_ssim_scales: The number of scales of MS-SSIM. Below 176 pixels fewer than five fit; see
            `_ssim.similarity`.
        dssim: (1 - ssim) / 2, in [0, 1].
        lpips: LPIPS, 0 for identical regions; NaN where a side is below 31 pixels, None without weights.
    """

    height: int
    width: int
    linf: int
    rmse: float
    psnr: float
    ssim: float
    ms_ssim: float
    ms_ssim_scales: int
    dssim: float
    lpips: float | None = None


@dataclass(frozen=True, slots=True)
class PerceptualCost:
    """The cost of one released photo.

    Attributes:
        whole: The cost over the whole photo.
        face: The cost over the box of the original's face; None without a face, or where the box lies outside
            the photo.
    """

    whole: RegionCost
    face: RegionCost | None


def perceptual_cost(
    original: Image, released: Image, face: Face | None, lpips: Lpips | None = None
) -> PerceptualCost:
    """Compare a released photo with its original, on the 8-bit values.

    Args:
        original: uint8 [height, width, 3].
        released: uint8 [height, width, 3], the same shape.
        face: The face in the original, or None. The face region is its box, grown to whole pixels and cut at
            the photo's edge.
        lpips: Measures LPIPS too; None where there are no weights for it.

    Raises:
        ValueError: The shapes differ, are not [height, width, 3] or are empty, or the values are not 8-bit.
    """
    for name, photo in (("original", original), ("released", released)):
        if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3 or photo.size == 0:
            raise ValueError(f"{name} must be 8-bit [height, width, 3], got {photo.dtype} {photo.shape}")
    if original.shape != released.shape:
        raise ValueError(f"the released photo is {released.shape}, its original {original.shape}")
    return PerceptualCost(_region(original, released, lpips), _face_region(original, released, face, lpips))


def _face_region(
    original: Image, released: Image, face: Face | None, lpips: Lpips | None
) -> RegionCost | None:
    if face is None:
        return None
    height, width = original.shape[:2]
    x0, y0 = max(0, math.floor(face.box[0])), max(0, math.floor(face.box[1]))
    x1, y1 = min(width, math.ceil(face.box[2])), min(height, math.ceil(face.box[3]))
    if x1 <= x0 or y1 <= y0:
        return None
    return _region(original[y0:y1, x0:x1], released[y0:y1, x0:x1], lpips)


def _region(original: Image, released: Image, lpips: Lpips | None) -> RegionCost:
    height, width = original.shape[:2]
    linf, squares = _change(original, released)
    rmse = math.sqrt(squares / original.size)
    alike = similarity(original, released) if linf else same(height, width)
    return RegionCost(
        height=height,
        width=width,
        linf=linf,
        rmse=rmse,
        psnr=min(PSNR_CEILING, 20 * math.log10(255 / rmse)) if rmse else PSNR_CEILING,
        ssim=alike.ssim,
        ms_ssim=alike.ms_ssim,
        ms_ssim_scales=alike.scales,
        dssim=(1 - alike.ssim) / 2,
        lpips=None if lpips is None else lpips.distance(original, released),
    )


def _change(original: Image, released: Image) -> tuple[int, int]:
    """The largest change of any value, and the sum of the squares of all changes: a few rows at a time."""
    largest, squares = 0, 0
    rows = max(1, _BAND // original.shape[1])
    for top in range(0, original.shape[0], rows):
        before, after = original[top : top + rows], released[top : top + rows]
        if not np.array_equal(before, after):
            change = after.astype(np.int32) - before
            largest = max(largest, int(np.abs(change).max()))
            squares += int((change * change).sum(dtype=np.int64))
    return largest, squares
