"""Face detection: from each photo to the one face that the benchmark works on.

A detector of `bench.faces.detectors` looks at one photo at a time (see `bench.machine.workers`). A photo's
result has the same bits whatever photos share the call, so a run that was killed goes on to the same end.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

import numpy as np
import numpy.typing as npt

from bench.faces import detectors
from bench.faces.choice import Choice, Policy
from bench.machine.workers import each, exact_gpu
from bench.types import Box, Face, Folders, Image

_GRID = 256
"""Coordinates are rounded to 1 / _GRID of a pixel, far below any detector's own error."""


class Detector:
    """A detector that chooses one face in each photo."""

    def __init__(
        self,
        device: str = "cpu",
        policy: Policy = "central",
        min_face: int = 40,
        min_share: float = 0.04,
        *,
        name: str = detectors.USUAL,
        folders: Folders | None = None,
    ) -> None:
        """Load the detector.

        Args:
            device: `cpu`, `cuda` or `cuda:N`.
            policy: The choice among several faces, see `bench.faces.choice.Choice`.
            min_face: The side of the smallest face that is looked for, in pixels, at least 12.
            min_share: The same side as a share of the photo's shorter side, in [0, 1].
            name: One of `bench.faces.detectors.names`.
            folders: Where the weights of detectors lie that the package does not bring.

        Raises:
            UserError: A parameter is out of range, there is no such detector, or its weights are missing or
                altered.
        """
        self._choice, self._name, self._device = Choice(policy, min_face, min_share), name, device
        self._search = detectors.lookup(name).load(folders or Folders(home=""), device)

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
        chosen = detectors.parameters(self._name, self._choice)
        return {**chosen, "device": self._device.partition(":")[0]}

    def _one(self, photo: Image, box: Box | None) -> Face | None:
        height, width = photo.shape[:2]
        faces = self._search.faces(photo, self._choice.smallest(height, width))
        best = self._choice.of(faces, height, width, box)
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


def _rounded(values: npt.NDArray[np.float32]) -> list[float]:
    return [round(float(v) * _GRID) / _GRID for v in values]
