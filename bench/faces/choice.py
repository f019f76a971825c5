"""Which faces of a photo are looked for, and which of them is the one that the benchmark works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bench.errors import UserError
from bench.faces.detections import Detections
from bench.types import Box

Policy = Literal["central", "largest"]


@dataclass(frozen=True)
class Choice:
    """The choice of one face; the same for every detector.

    Attributes:
        policy: The choice among several faces. `central` takes the largest area less twice the squared
            distance from the photo's centre; `largest` takes the largest area.
        min_face: The side of the smallest face that is looked for, in pixels, at least 12. At 20, the default
            of facenet-pytorch, a photo costs MTCNN about twice as much, for faces that have a fifth of the
            pixels across of an encoder's crop.
        min_share: The same side as a share of the photo's shorter side, in [0, 1]. The larger of the two
            holds, so that a large photo costs no more for faces that nobody could be recognised by.
    """

    policy: Policy = "central"
    min_face: int = 40
    min_share: float = 0.04

    def __post_init__(self) -> None:
        """Look at the values.

        Raises:
            UserError: One is out of range.
        """
        if self.policy not in ("central", "largest"):
            raise UserError(f"no face policy {self.policy!r}. Try 'central' or 'largest'.")
        if self.min_face < 12 or not 0 <= self.min_share <= 1:
            raise UserError(
                f"min_face {self.min_face} must be at least 12, min_share {self.min_share} in [0, 1]."
            )

    def smallest(self, height: int, width: int) -> float:
        """The side of the smallest face that is looked for in a photo of a size, in pixels."""
        return max(self.min_face, self.min_share * min(height, width))

    def of(self, faces: Detections, height: int, width: int, box: Box | None) -> int | None:
        """The position of the chosen face; None where there is none.

        Args:
            faces: Every face of the photo.
            height: The photo's height in pixels.
            width: The photo's width in pixels.
            box: The stated face of the photo's person. It replaces the policy: of the faces that overlap it,
                the face whose corners are nearest to its corners is taken.
        """
        if not len(faces.boxes):
            return None
        return self._best(faces, height, width) if box is None else _nearest(faces, box)

    def _best(self, faces: Detections, height: int, width: int) -> int:
        boxes = faces.boxes.astype(np.float64)
        worth = (boxes[:, 2:] - boxes[:, :2]).prod(1)
        if self.policy == "central":
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
