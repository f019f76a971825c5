"""Face detection: from each photo to the one face that the benchmark works on.

The detector is facenet-pytorch's MTCNN, with its weights and thresholds, one photo at a time (see
`bench.machine.workers`). A photo's result has the same bits whatever photos share the call, so a run that was
killed goes on to the same end.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

import numpy as np
import numpy.typing as npt
import PIL.Image

from bench.errors import UserError
from bench.faces.mtcnn import Cascade, Detections
from bench.faces.mtcnn_card import Policy, parameters
from bench.machine.workers import each, exact_gpu
from bench.types import Box, Face, Image

_GRID = 256
"""Coordinates are rounded to 1 / _GRID of a pixel, far below the detector's own error."""


_ENOUGH = 60
"""The smallest face, in pixels across, in a photo that was averaged down for detection."""


class Detector:
    """A detector that chooses one face in each photo."""

    def __init__(
        self, device: str = "cpu", policy: Policy = "central", min_face: int = 40, min_share: float = 0.04
    ) -> None:
        """Load the detector.

        Args:
            device: `cpu`, `cuda` or `cuda:N`.
            policy: The choice among several faces. `central` takes the largest area less twice the squared
                distance from the photo's centre; `largest` takes the largest area.
            min_face: The side of the smallest face that is looked for, in pixels, at least 12. At 20, the
                package's default, a photo costs about twice as much, for faces that have a fifth of the
                pixels across of an encoder's crop.
            min_share: The same side as a share of the photo's shorter side, in [0, 1]. The larger of the two
                holds, so that a large photo costs no more for faces that nobody could be recognised by.

        Raises:
            UserError: A parameter is out of range, or the networks' weights are missing or altered.
        """
        if policy not in ("central", "largest"):
            raise UserError(f"no face policy {policy!r}. Try 'central' or 'largest'.")
        if min_face < 12 or not 0 <= min_share <= 1:
            raise UserError(f"min_face {min_face} must be at least 12, min_share {min_share} in [0, 1].")
        self._device, self._policy, self._min_face, self._min_share = device, policy, min_face, min_share
        self._cascade = Cascade(device)

    def detect(self, photos: Sequence[Image], boxes: Sequence[Box | None] = ()) -> list[Face | None]:
        """Find the face in each photo.

        Args:
            photos: Photos, uint8 [height, width, 3] each, of any sizes.
            boxes: The stated face of each photo's person, in pixels of that photo, or None; no boxes at all
                count as None for each. A stated box replaces the policy: of the faces that overlap it, the
                face whose corners are nearest to its corners is taken. A face elsewhere in the photo is
                somebody else's and is not taken.

        Returns:
            A face, or None where there is none, in the order of the photos.
        """
        each_photo = list(zip(photos, boxes or [None] * len(photos), strict=True))
        with nullcontext() if self._device == "cpu" else exact_gpu():
            return each(lambda photo_and_box: self._one(*photo_and_box), each_photo)

    def parameters(self) -> dict[str, object]:
        """Everything that can change a result, for cache keys and records."""
        chosen = parameters(self._policy, self._min_face, self._min_share)
        return {**chosen, "device": self._device.partition(":")[0]}

    def _one(self, photo: Image, box: Box | None) -> Face | None:
        height, width = photo.shape[:2]
        smallest = max(self._min_face, self._min_share * min(height, width))
        times = int(smallest / _ENOUGH)
        faces = self._cascade.faces(photo, smallest) if times < 2 else self._reduced(photo, smallest, times)
        if not len(faces.boxes):
            return None
        best = self._choose(faces, width, height) if box is None else _nearest(faces, box)
        if best is None:
            return None
        x0, y0, x1, y1 = _rounded(faces.boxes[best])
        points = _rounded(faces.landmarks[best].ravel())
        return Face(
            box=(x0, y0, x1, y1),
            landmarks=tuple(zip(points[0::2], points[1::2], strict=True)),
            score=float(faces.scores[best]),
            found=len(faces.boxes),
        )

    def _reduced(self, photo: Image, smallest: float, times: int) -> Detections:
        """Every face of a large photo, from the averages of `times` x `times` pixels.

        The last network sees a face 48 pixels across. Sums over all pixels of a phone's photo would take ten
        times as long as everything else, and 16 bytes a pixel.
        """
        small = np.asarray(PIL.Image.fromarray(photo).reduce(times))
        faces = self._cascade.faces(small, smallest / times)
        # both count from the edge of a pixel, as sums over windows do
        return Detections(faces.boxes * times, faces.scores, faces.landmarks * times)

    def _choose(self, faces: Detections, width: int, height: int) -> int:
        boxes = faces.boxes.astype(np.float64)
        worth = (boxes[:, 2:] - boxes[:, :2]).prod(1)
        if self._policy == "central":
            offset = (boxes[:, 2:] + boxes[:, :2]) / 2 - np.array([width, height]) / 2
            worth = worth - 2 * (offset**2).sum(1)
        return int(np.argmax(worth))


def _nearest(faces: Detections, box: Box) -> int | None:
    """The overlapping face with the least squared distance of corners from a box; None without one."""
    boxes, given = faces.boxes.astype(np.float64), np.array(box, np.float64)
    low, high = np.maximum(boxes[:, :2], given[:2]), np.minimum(boxes[:, 2:], given[2:])
    distance = np.where((high > low).all(1), ((boxes - given) ** 2).sum(1), np.inf)
    best = int(np.argmin(distance))
    return best if np.isfinite(distance[best]) else None


def _rounded(values: npt.NDArray[np.float32]) -> list[float]:
    return [round(float(v) * _GRID) / _GRID for v in values]
