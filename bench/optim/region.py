"""Which pixels of a photo a cloak may change: the face, found on the clean photo.

The region is the convex hull of the detector's box and of the square that ArcFace-type encoders see, with a
hard edge. It depends on the photo alone, never on a surrogate, so that every defense and every control
spends its budget on the same pixels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bench.faces.align import matrix
from bench.types import ARCFACE_CROP, Face

Points = npt.NDArray[np.float64]


def aligned_square(face: Face) -> Points:
    """Corners (x, y) in the photo of the 112 x 112 square that ArcFace-type encoders see: [4, 2].

    Raises:
        ValueError: if all landmarks coincide.
    """
    m = matrix(face, ARCFACE_CROP)
    low, high = -0.5, ARCFACE_CROP.size - 0.5
    return corners(m, low, high)


def corners(m: npt.NDArray[np.float64], low: float, high: float) -> Points:
    """Where the corners of a crop's square lie in the photo: [4, 2], in order around it."""
    square = np.array([[low, low], [high, low], [high, high], [low, high]])
    return np.asarray(np.linalg.solve(m[:, :2], (square - m[:, 2]).T).T, np.float64)


def face_region(face: Face, height: int, width: int) -> npt.NDArray[np.bool_]:
    """Where a photo may be changed: bool [height, width].

    Raises:
        ValueError: if all landmarks coincide, or none of the face lies in the photo.
    """
    x0, y0, x1, y1 = face.box
    hull = _hull(np.concatenate([aligned_square(face), [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]]))
    inside = np.zeros((height, width), bool)
    left, top = np.maximum(np.ceil(hull.min(0)), 0).astype(int)
    right, bottom = np.minimum(np.floor(hull.max(0)), [width - 1, height - 1]).astype(int) + 1
    if left >= right or top >= bottom:
        raise ValueError("the face lies outside the photo")
    ys, xs = np.arange(top, bottom, dtype=np.float64)[:, None], np.arange(left, right, dtype=np.float64)
    part = np.ones((bottom - top, right - left), bool)
    for (ax, ay), (bx, by) in zip(hull, np.roll(hull, -1, 0), strict=True):
        part &= (bx - ax) * (ys - ay) >= (by - ay) * (xs - ax)
    if not part.any():
        raise ValueError("the face lies outside the photo")
    inside[top:bottom, left:right] = part
    return inside


def _hull(points: Points) -> Points:
    """Convex hull, by Andrew's monotone chain; the interior lies where every cross product is >= 0."""
    ordered = sorted({(float(x), float(y)) for x, y in points})
    lower, upper = _chain(ordered), _chain(ordered[::-1])
    return np.array(lower[:-1] + upper[:-1])


def _chain(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    kept: list[tuple[float, float]] = []
    for x, y in points:
        while len(kept) >= 2:
            (ax, ay), (bx, by) = kept[-2:]
            if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                break
            kept.pop()
        kept.append((x, y))
    return kept
