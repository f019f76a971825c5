"""All faces of one photo, and what detectors share: averaging a photo down, and suppressing doubles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import PIL.Image

from bench.types import Image, Ints

Array = npt.NDArray[np.float32]

_BLOCK = 256  # boxes compared at once: bounds the memory that a crowded photo needs


@dataclass(frozen=True, slots=True)
class Detections:
    """The faces of one photo, best first.

    Attributes:
        boxes: float32 [n, 4], x0, y0, x1, y1 in pixels.
        scores: float32 [n], the confidence in [0, 1].
        landmarks: float32 [n, 5, 2], in the order of `bench.types.Face`.
    """

    boxes: Array
    scores: Array
    landmarks: Array


def no_faces() -> Detections:
    """What a detector gives for a photo in which it finds nothing."""
    return Detections(*(np.zeros(shape, np.float32) for shape in ((0, 4), (0,), (0, 5, 2))))


def averaged(photo: Image, times: int, find: Callable[[Image], Detections]) -> Detections:
    """Every face of a large photo, from the averages of `times` x `times` pixels.

    Args:
        photo: uint8 [height, width, 3].
        times: The number of pixels, on each axis, that become one.
        find: Gives the faces of the smaller photo.

    Returns:
        The faces in pixels of the photo. Both count from the edge of a pixel.
    """
    faces = find(np.asarray(PIL.Image.fromarray(photo).reduce(times)))
    return Detections(faces.boxes * times, faces.scores, faces.landmarks * times)


def suppress(boxes: Array, scores: Array, threshold: float, *, of_smaller: bool = False) -> Ints:
    """Greedy non-maximum suppression.

    Args:
        boxes: float32 [n, 4].
        scores: float32 [n].
        threshold: A box goes when its overlap with a better, kept box is larger than this share.
        of_smaller: Whether the overlap is the share of the smaller box (sizes count whole pixels, so plus
            one) instead of intersection over union.

    Returns:
        int64 [kept], positions, best first; equal scores keep their order.
    """
    order = np.argsort(-scores, kind="stable")
    kept: list[Ints] = []
    while len(order):
        block, order = order[:_BLOCK], order[_BLOCK:]
        over = _overlap(boxes[block], boxes[block], of_smaller) > threshold
        alive = np.ones(len(block), bool)
        for i in range(len(block)):
            if alive[i]:
                alive[i + 1 :] &= ~over[i, i + 1 :]
        kept.append(block[alive])
        if len(order):
            order = order[~(_overlap(boxes[kept[-1]], boxes[order], of_smaller) > threshold).any(0)]
    return np.concatenate([*kept, np.zeros(0, np.int64)])


def _overlap(a: Array, b: Array, of_smaller: bool) -> Array:
    plus = np.float32(of_smaller)
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    both = np.maximum(high - low + plus, 0).prod(2)
    area_a, area_b = ((x[:, 2:] - x[:, :2] + plus).prod(1) for x in (a, b))
    whole = np.minimum(area_a[:, None], area_b) if of_smaller else area_a[:, None] + area_b - both
    out: Array = both / whole
    return out
