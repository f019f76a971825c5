"""SSIM and MS-SSIM on 8-bit photos, in double precision, one photo at a time, a tile at a time.

The two are written out here because libraries disagree. torchmetrics has changed between releases whether the
reflected border counts, and it refuses MS-SSIM below 176 pixels. Here a window lies wholly inside the photo,
as in the authors' programs and in scikit-image (`gaussian_weights=True, use_sample_covariance=False`); a test
compares with scikit-image. A photo alone gives the same bits as a photo among others.

Both are means of maps, and a value of a map depends on the pixels of one window. So the sums over tiles make
the mean, in little memory, and a window without a change counts 1 without being computed. The means are those
of whole maps up to the order of the additions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
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

_FULL, _STRUCTURE = 0, 1

EXPONENTS = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])
"""Exponents of the five scales (Wang, Simoncelli and Bovik 2003, section 3.2)."""


WHOLE = 2**18
"""Photos of up to so many pixels are one tile, and all of it is computed."""

TILE = 256
"""The side of the tiles of larger photos, in pixels: a multiple of 16, so that all scales begin alike."""


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
    while side >= WINDOW and scales < EXPONENTS.size:
        side, scales = side // 2, scales + 1
    return scales


def same(height: int, width: int) -> Similarity:
    """What `similarity` says of two identical photos."""
    scales = scales_for(height, width)
    value = 1.0 if scales else float("nan")
    return Similarity(value, value, scales)


def similarity(
    original: npt.NDArray[np.uint8], released: npt.NDArray[np.uint8], *, whole: int = WHOLE, tile: int = TILE
) -> Similarity:
    """SSIM (Wang et al. 2004, eq. 13) and MS-SSIM (Wang et al. 2003, eq. 7), means over R, G and B.

    Where the photo is too small for all five scales, MS-SSIM uses the finest scales that fit, with their
    exponents scaled to sum to one. Such a value compares only with values over as many scales. A negative
    structure term counts as 0, since a fractional power of it is not real.

    Args:
        original: uint8 [height, width, 3].
        released: uint8 [height, width, 3], the same shape.
        whole: The most pixels of a photo that is one tile.
        tile: The side of the tiles of larger photos, a multiple of 16.
    """
    height, width = original.shape[:2]
    scales = scales_for(height, width)
    if scales == 0:
        return Similarity(float("nan"), float("nan"), 0)
    small = height * width <= whole
    tiles = [(0, height, 0, width)] if small else list(_tiles(height, width, tile))
    sums = np.zeros((3, scales, 2))
    for place in tiles:
        sums += _sums(original, released, place, scales, skip=not small)
    counts = [((height >> scale) - 2 * _RADIUS) * ((width >> scale) - 2 * _RADIUS) for scale in range(scales)]
    means = sums / np.array(counts)[None, :, None]
    weights = EXPONENTS[:scales] / EXPONENTS[:scales].sum()
    terms = means[..., _STRUCTURE].copy()
    terms[:, -1] = means[:, -1, _FULL]
    products = [
        math.prod(max(0.0, float(t)) ** float(w) for t, w in zip(channel, weights, strict=True))
        for channel in terms
    ]
    return Similarity(float(np.mean(means[:, 0, _FULL])), float(np.mean(products)), scales)


def _tiles(height: int, width: int, tile: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield the rows and columns of tiles that cover a photo."""
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            yield top, min(top + tile, height), left, min(left + tile, width)


def _sums(
    original: npt.NDArray[np.uint8],
    released: npt.NDArray[np.uint8],
    place: tuple[int, int, int, int],
    scales: int,
    *,
    skip: bool,
) -> Plane:
    """The sums of the maps over the windows that begin in a tile: [channel, scale, SSIM or structure].

    Args:
        original: The whole photo.
        released: The whole photo.
        place: The first row of the tile, the row behind it, and its columns alike.
        scales: The number of scales.
        skip: Whether windows without a change count 1 without being computed.
    """
    height, width = original.shape[:2]
    top, bottom, left, right = place
    reach = 2 * _RADIUS << (scales - 1)
    rows, columns = slice(top, bottom + reach), slice(left, right + reach)
    sums = np.zeros((3, scales, 2))
    changed = not (skip and np.array_equal(original[rows, columns], released[rows, columns]))
    for channel in range(3):
        if changed:
            a, b = (photo[rows, columns, channel].astype(np.float64) for photo in (original, released))
        for scale in range(scales):
            # windows that begin in the tile and fit into the photo
            down = min(bottom >> scale, (height >> scale) - 2 * _RADIUS) - (top >> scale)
            across = min(right >> scale, (width >> scale) - 2 * _RADIUS) - (left >> scale)
            if scale and changed:
                a, b = _halved(a), _halved(b)
            if down <= 0 or across <= 0:
                continue
            if changed:
                part = slice(down + 2 * _RADIUS), slice(across + 2 * _RADIUS)
                if not (skip and np.array_equal(a[part], b[part])):
                    sums[channel, scale] = _summed(a[part], b[part])
                    continue
            sums[channel, scale] = down * across
    return sums


def _summed(a: Plane, b: Plane) -> tuple[float, float]:
    """The sum over windows of SSIM, and of its contrast and structure part alone."""
    mean_a, mean_b = _blurred(a), _blurred(b)
    square_a, square_b, product = mean_a * mean_a, mean_b * mean_b, mean_a * mean_b
    spread = np.maximum(_blurred(a * a + b * b) - square_a - square_b, 0)
    structure = (2 * (_blurred(a * b) - product) + C2) / (spread + C2)
    full = (2 * product + C1) / (square_a + square_b + C1) * structure
    return float(full.sum()), float(structure.sum())


def _blurred(plane: Plane) -> Plane:
    """The Gaussian mean around every pixel whose window fits: [height - 10, width - 10]."""
    width, height = plane.shape[1] - 2 * _RADIUS, plane.shape[0] - 2 * _RADIUS
    rows: Plane = GAUSS[0] * plane[:, :width]
    term = np.empty_like(rows)
    for step in range(1, WINDOW):
        rows += np.multiply(GAUSS[step], plane[:, step : step + width], out=term)
    both: Plane = GAUSS[0] * rows[:height]
    for step in range(1, WINDOW):
        both += np.multiply(GAUSS[step], rows[step : step + height], out=term[:height])
    return both


def _halved(plane: Plane) -> Plane:
    """The mean of every 2 x 2 pixels. An odd last row or column is left out."""
    height, width = plane.shape[0] // 2 * 2, plane.shape[1] // 2 * 2
    even = plane[:height, :width]
    half: Plane = (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4
    return half
