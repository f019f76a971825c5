"""SSIM and MS-SSIM on 8-bit photos, in double precision, one photo at a time.

The two are written out here because libraries disagree. torchmetrics has changed between releases whether the
reflected border counts, and it refuses MS-SSIM below 176 pixels. Here a window lies wholly inside the photo,
as in the authors' programs and in scikit-image (`gaussian_weights=True, use_sample_covariance=False`); a test
compares with scikit-image. A photo alone gives the same bits as a photo among others.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float64]

_RADIUS = 5
WINDOW = 2 * _RADIUS + 1
"""The side of the Gaussian window (sigma 1.5) in pixels. A smaller photo has no SSIM."""

GAUSS = np.exp(-(np.arange(-_RADIUS, _RADIUS + 1) ** 2) / (2 * 1.5**2))
GAUSS /= GAUSS.sum()

C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2

_WEIGHTS = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])
"""Exponents of the five scales (Wang, Simoncelli and Bovik 2003, section 3.2)."""


class Similarity(NamedTuple):
    """SSIM, MS-SSIM and its number of scales; NaN, NaN and 0 where a side is below `WINDOW` pixels."""

    ssim: float
    ms_ssim: float
    scales: int


def scales_for(height: int, width: int) -> int:
    """The number of the five scales that fit: the window must fit into the photo after each halving.

    Five scales need a shorter side of 176 pixels, four 88, three 44, two 22 and one 11.
    """
    side, scales = min(height, width), 0
    while side >= WINDOW and scales < _WEIGHTS.size:
        side, scales = side // 2, scales + 1
    return scales


def similarity(original: npt.NDArray[np.uint8], released: npt.NDArray[np.uint8]) -> Similarity:
    """SSIM (Wang et al. 2004, eq. 13) and MS-SSIM (Wang et al. 2003, eq. 7), means over R, G and B.

    Where the photo is too small for all five scales, MS-SSIM uses the finest scales that fit, with their
    exponents scaled to sum to one. Such a value compares only with values over as many scales. A negative
    structure term counts as 0, since a fractional power of it is not real.

    Args:
        original: uint8 [height, width, 3].
        released: uint8 [height, width, 3], the same shape.
    """
    scales = scales_for(*original.shape[:2])
    if scales == 0:
        return Similarity(float("nan"), float("nan"), 0)
    weights = _WEIGHTS[:scales] / _WEIGHTS[:scales].sum()
    single, multi = [], []
    for channel in range(original.shape[2]):
        a, b = original[..., channel].astype(np.float64), released[..., channel].astype(np.float64)
        product = 1.0
        for scale in range(scales):
            full, structure = _means(a, b)
            if scale == 0:
                single.append(full)
            last = scale == scales - 1
            product *= max(0.0, full if last else structure) ** float(weights[scale])
            if not last:
                a, b = _halved(a), _halved(b)
        multi.append(product)
    return Similarity(float(np.mean(single)), float(np.mean(multi)), scales)


def _means(a: Plane, b: Plane) -> tuple[float, float]:
    """The mean over windows of SSIM, and of its contrast and structure part alone."""
    mean_a, mean_b = _blurred(a), _blurred(b)
    square_a, square_b, product = mean_a * mean_a, mean_b * mean_b, mean_a * mean_b
    spread = np.maximum(_blurred(a * a + b * b) - square_a - square_b, 0)
    structure = (2 * (_blurred(a * b) - product) + C2) / (spread + C2)
    full = (2 * product + C1) / (square_a + square_b + C1) * structure
    return float(full.mean()), float(structure.mean())


def _blurred(plane: Plane) -> Plane:
    """The Gaussian mean around every pixel whose window fits: [height - 10, width - 10]."""
    width, height = plane.shape[1] - 2 * _RADIUS, plane.shape[0] - 2 * _RADIUS
    rows = GAUSS[0] * plane[:, :width]
    for step in range(1, WINDOW):
        rows += GAUSS[step] * plane[:, step : step + width]
    both: Plane = GAUSS[0] * rows[:height]
    for step in range(1, WINDOW):
        both += GAUSS[step] * rows[step : step + height]
    return both


def _halved(plane: Plane) -> Plane:
    """The mean of every 2 x 2 pixels. An odd last row or column is left out."""
    height, width = plane.shape[0] // 2 * 2, plane.shape[1] // 2 * 2
    even = plane[:height, :width]
    half: Plane = (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4
    return half
