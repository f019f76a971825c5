"""The cascade of MTCNN (Zhang et al. 2016, arXiv 1604.02878): one photo -> every face in it.

Thresholds, image pyramid, suppression and rounding follow facenet-pytorch's MTCNN, so that both find the same
faces. The averages of pixels differ: one summed-area table (Crow 1984) a photo gives them exactly, for all
windows of a stage at once.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bench.faces.detections import Array, Detections, averaged, no_faces, suppress
from bench.faces.detectors.mtcnn.card import FACTOR, THRESHOLDS
from bench.faces.detectors.mtcnn.networks import load
from bench.types import Image, Ints

Table = npt.NDArray[np.uint32]

_CELL = 12  # pixels that one output of the first network looks at
_STRIDE = 2  # pixels between two of them

_ENOUGH = 60
"""The smallest face, in pixels across, in a photo that was averaged down for detection."""


class Cascade:
    """The three stages with their networks on one device."""

    def __init__(self, device: str) -> None:
        """Load the networks. `bench.faces.detectors.mtcnn.networks.load` names the errors."""
        self._first, self._second, self._third = (load(name, device) for name in ("pnet", "rnet", "onet"))

    def faces(self, photo: Image, smallest: float) -> Detections:
        """Find every face of a photo. See `bench.faces.detector_model.FaceSearch`.

        The last network sees a face 48 pixels across. Sums over all pixels of a phone's photo would take ten
        times as long as everything else, and 16 bytes a pixel: of a large photo, averages are looked at.
        """
        times = int(smallest / _ENOUGH)
        if times < 2:
            return self.faces_in_full(photo, smallest)
        return averaged(photo, times, lambda small: self.faces_in_full(small, smallest / times))

    def faces_in_full(self, photo: Image, smallest: float) -> Detections:
        """Find every face of a photo without averaging it first.

        Args:
            photo: uint8 [height, width, 3], of any size.
            smallest: The side of the smallest face that is looked for, in pixels, at least 12.
        """
        height, width = photo.shape[:2]
        levels = _scales(min(height, width), smallest)
        if not levels:
            return no_faces()
        table = summed(photo)
        boxes = _squared(self._proposals(table, levels))

        windows, inside = _windows(boxes, width, height)
        if not len(windows):
            return no_faces()
        boxes = boxes[inside]
        shift, score = self._second(crops(table, windows, 24))
        passed = score > THRESHOLDS[1]
        boxes, shift, score = boxes[passed], shift[passed], score[passed]
        kept = suppress(boxes, score, 0.7)
        boxes = _squared(_moved(boxes[kept], shift[kept]))

        windows, inside = _windows(boxes, width, height)
        if not len(windows):
            return no_faces()
        boxes = boxes[inside]
        shift, points, score = self._third(crops(table, windows, 48))
        passed = score > THRESHOLDS[2]
        boxes, shift, points, score = boxes[passed], shift[passed], points[passed], score[passed]
        size = boxes[:, 2:] - boxes[:, :2] + 1
        landmarks = points.reshape(-1, 2, 5).transpose(0, 2, 1) * size[:, None] + boxes[:, None, :2] - 1
        boxes = _moved(boxes, shift)
        kept = suppress(boxes, score, 0.7, of_smaller=True)
        return Detections(boxes[kept], score[kept], landmarks[kept])

    def _proposals(self, table: Table, levels: list[float]) -> Array:
        """Boxes of the first network over the whole pyramid, each moved by its own regression."""
        height, width = table.shape[0] - 1, table.shape[1] - 1
        boxes, scores, shifts = [], [], []
        for scale in levels:
            shift, score = self._first(
                level(table, int(height * scale + 1), int(width * scale + 1)),
            )
            ys, xs = np.nonzero(score >= THRESHOLDS[0])
            corner = np.stack([xs, ys], 1).astype(np.float32) * _STRIDE
            cells = np.floor(np.concatenate([corner + 1, corner + _CELL], 1) / np.float32(scale))
            kept = suppress(cells, score[ys, xs], 0.5)
            boxes.append(cells[kept])
            scores.append(score[ys, xs][kept])
            shifts.append(shift[0][:, ys, xs].T[kept])
        every, score = np.concatenate(boxes), np.concatenate(scores)
        kept = suppress(every, score, 0.7)
        every, shift = every[kept], np.concatenate(shifts)[kept]
        size = every[:, 2:] - every[:, :2]
        moved: Array = every + shift * np.concatenate([size, size], 1)
        return moved


def _scales(side: int, smallest: float) -> list[float]:
    """Scales of the pyramid: from a smallest face that fills a cell to a photo that fills a cell."""
    scale = _CELL / smallest
    scales = []
    while side * scale >= _CELL:
        scales.append(scale)
        scale *= FACTOR
    return scales


def summed(photo: Image) -> Table:
    """Make the summed-area table: entry [y, x] is the sum of all pixels above and left of it.

    Args:
        photo: uint8 [height, width, 3].

    Returns:
        uint32 [height + 1, width + 1, 4]. The fourth channel is 0, because entries of 16 bytes are gathered
            fastest. Sums of large photos wrap around. A window's sum is right as long as it is below 2**32,
            which holds for every window of up to 16 million pixels.
    """
    height, width = photo.shape[:2]
    table = np.zeros((height + 1, width + 1, 4), np.uint32)
    np.cumsum(photo, 0, np.uint32, out=table[1:, 1:, :3])
    np.cumsum(table[1:, 1:, :3], 1, np.uint32, out=table[1:, 1:, :3])
    return table


def _edges(length: Ints | int, parts: int) -> tuple[Ints, Ints]:
    """First and last-plus-one pixel of each of `parts` parts (area interpolation): int64 [..., parts]."""
    i = np.arange(parts)
    size = np.asarray(length)[..., None]
    return i * size // parts, -((i + 1) * -size // parts)


def _scaled(sums: Table, area: Ints) -> Array:
    """Sums [..., y, x, 3] over areas [..., y, x] -> means in [-1, 1], float32 [..., 3, y, x]."""
    mean = sums.astype(np.float32) / area[..., None].astype(np.float32)
    return np.ascontiguousarray(np.moveaxis((mean - np.float32(127.5)) * np.float32(0.0078125), -1, -3))


def level(table: Table, height: int, width: int) -> Array:
    """The photo at another size: float32 [1, 3, height, width] in [-1, 1]."""
    y0, y1 = _edges(table.shape[0] - 1, height)
    x0, x1 = _edges(table.shape[1] - 1, width)
    rows = table[y1] - table[y0]
    sums = (rows[:, x1] - rows[:, x0])[:, :, :3]
    return _scaled(sums, np.multiply.outer(y1 - y0, x1 - x0))[None]


def crops(table: Table, windows: Ints, side: int) -> Array:
    """Windows of the photo at one size.

    Args:
        table: The photo's summed-area table, from `summed`.
        windows: int64 [n, 4], x0, y0, x1, y1 in pixels.
        side: The side of each crop in pixels.

    Returns:
        float32 [n, 3, side, side] in [-1, 1].
    """
    flat = table.reshape(-1, 4).view(np.complex128)[:, 0]  # only to move 16 bytes at a time
    x0, x1 = _edges(windows[:, 2] - windows[:, 0], side)
    y0, y1 = _edges(windows[:, 3] - windows[:, 1], side)
    left, right = ((windows[:, :1] + x)[:, None, :] for x in (x0, x1))
    top, bottom = (((windows[:, 1:2] + y) * table.shape[1])[:, :, None] for y in (y0, y1))
    corners = (
        flat[at].view(np.uint32).reshape(*at.shape, 4)
        for at in (bottom + right, top + right, bottom + left, top + left)
    )
    a, b, c, d = corners
    sums = (a - b - c + d)[..., :3]
    return _scaled(sums, (y1 - y0)[:, :, None] * (x1 - x0)[:, None, :])


def _windows(boxes: Array, width: int, height: int) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """The photo's pixels below each box (int64 [inside, 4]), and whether a box has any (bool [n]).

    Boxes count pixels from 1, as in the original Matlab code.
    """
    whole = np.trunc(boxes).astype(np.int64)
    low = np.maximum(whole[:, :2], 1) - 1
    high = np.minimum(whole[:, 2:], [width, height])
    inside = np.asarray((high > low).all(1))
    return np.concatenate([low, high], 1)[inside], inside


def _squared(boxes: Array) -> Array:
    """The square around each box's centre; its side is the box's longer side."""
    size = boxes[:, 2:] - boxes[:, :2]
    side = size.max(1, keepdims=True)
    low = boxes[:, :2] + size * np.float32(0.5) - side * np.float32(0.5)
    return np.concatenate([low, low + side], 1)


def _moved(boxes: Array, shift: Array) -> Array:
    """Boxes moved by a regression, in units of their size."""
    size = boxes[:, 2:] - boxes[:, :2] + 1
    moved: Array = boxes + shift * np.concatenate([size, size], 1)
    return moved
