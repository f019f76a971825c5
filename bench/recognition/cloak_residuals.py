"""What cloaks leave in the smallest details of a face: figures that an attacker tells cloaked photos by.

A cloak is noise of a few levels, and photos are smooth: neighbouring pixels differ otherwise under a cloak.
The figures are those of steganalysis: how often neighbouring differences of pixels, cut off at 3 levels,
occur side by side (SPAM, Pevný, Bas and Fridrich 2010), of first and of second differences, at the photo's
own resolution and at half of it, where smoothed cloaks are seen.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bench.photos.collection import Photos, pixels_or_none
from bench.store.cache import Cache
from bench.store.code import stage_code
from bench.store.digests import digest
from bench.types import Face, Floats, Image

Whole = npt.NDArray[np.int64]

FIGURES = 4 * 49
"""How many figures a photo has."""
_CUT = 3
_LEAST = 16  # pixels of a side, below which there is no half resolution
_CHUNK = 64


def residuals(photos: Photos, faces: Sequence[Face | None], cache: Cache) -> Floats:
    """The figures of each photo's face, of the whole photo where there is no face; kept by content.

    Returns:
        [photo, `FIGURES`], square roots of frequencies; 0 for a photo that cannot be read.
    """
    code = stage_code(__name__)
    boxes = [None if face is None else [float(side) for side in face.box] for face in faces]
    keys = [digest("residuals", code, *parts) for parts in zip(photos.digests, boxes, strict=True)]
    held = cache.rows("residuals", keys)
    missing = [i for i, key in enumerate(keys) if key not in held]
    for start in range(0, len(missing), _CHUNK):
        part = missing[start : start + _CHUNK]
        images = [pixels_or_none(content) for content in photos.read(part)]
        made = {
            keys[i]: _figures(image, boxes[i]).astype("<f8").tobytes()
            for i, image in zip(part, images, strict=True)
        }
        cache.put_rows("residuals", made)
        held |= made
    rows = [np.frombuffer(held[key], "<f8") for key in keys]
    return np.stack(rows).astype(np.float64) if rows else np.zeros((0, FIGURES))


def _figures(image: Image | None, box: Sequence[float] | None) -> Floats:
    """The figures of the part of a photo within a box."""
    if image is None:
        return np.zeros(FIGURES)
    height, width = image.shape[:2]
    if box is not None:
        left, top = max(0, round(box[0])), max(0, round(box[1]))
        right, bottom = min(width, round(box[2])), min(height, round(box[3]))
        if right - left >= _LEAST and bottom - top >= _LEAST:
            image = image[top:bottom, left:right]
    whole = image.astype(np.int64)
    even = whole[: len(whole) // 2 * 2, : whole.shape[1] // 2 * 2]
    half = even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]
    # sums of four pixels, and half of second differences: as large as differences of pixels
    return np.concatenate(
        [_side_by_side(whole, order, 1) for order in (1, 2)]
        + [_side_by_side(half, order, 4) for order in (1, 2)]
    )


def _side_by_side(pixels: Whole, order: int, scale: int) -> Floats:
    """How often each pair of neighbouring differences occurs, along rows and columns: roots of shares."""
    counts = np.zeros((2 * _CUT + 1) ** 2)
    for along in (pixels, pixels.swapaxes(0, 1)):
        differences = np.diff(along, n=order, axis=1)
        step = scale * order
        cut = np.clip((2 * differences + step) // (2 * step), -_CUT, _CUT) + _CUT
        if cut.shape[1] > 1:
            pairs = cut[:, :-1] * (2 * _CUT + 1) + cut[:, 1:]
            counts += np.bincount(pairs.ravel(), minlength=counts.size)
    return np.asarray(np.sqrt(counts / max(counts.sum(), 1)))
