"""YuNet (Wu, Peng, Yu 2023, doi 10.1007/s11633-023-1423-y): one small network, read from an ONNX file.

The network runs in onnxruntime, on one thread of the CPU on every device. What its outputs mean is written
down here; a test holds it to OpenCV's `FaceDetectorYN`, which takes the same file.
"""

from __future__ import annotations

import math

import numpy as np

from bench.faces.detections import Array, Detections, averaged, no_faces, suppress
from bench.faces.detector_model import DetectorFile, DetectorModel, FaceSearch
from bench.parameters import Plain
from bench.store.weights import read
from bench.types import Folders, Image

FILE = DetectorFile(
    name="yunet_n_dynamic.onnx",
    size=322_906,
    sha256="104ee26c71d5c270ce79a6b3dced91c91013260d29a6bf18f9296c5b8c4c2b12",
    licence="that of its repository, in the style of Apache 2.0",
    source="github.com/ShiqiYu/libfacedetection.train at 0047ac2, onnx/yunet_n_dynamic.onnx",
)

STRIDES = (8, 16, 32)
"""Pixels between two cells, for each of the three grids that the network answers for."""

SCORE = 0.7
"""The least score of a face. OpenCV's default is .9; cloaks lower scores, and attackers can ask for less."""

OVERLAP = 0.3
"""The intersection over union from which two boxes are one face; OpenCV's default."""

_LARGEST = 9.0
"""The logarithm of more cells than a side has: what is beyond would be infinite."""

LONGEST = 640
"""A photo is averaged down by a whole factor until its longer side has at most so many pixels.

PhotoPrism (release 260919) gives it as much. It does not see faces that are much larger than those of its
training, and a phone's photo would take fifty times as long.
"""


class YuNet(DetectorModel):
    """The one file, looked for where weights are looked for."""

    name = "yunet"
    about = f"YuNet, one small network, which photo managers run; from {FILE.source}"
    files = (FILE,)

    def constants(self) -> dict[str, Plain]:
        """See `DetectorModel.constants`."""
        return {
            "weights": {FILE.name: FILE.sha256},
            "score": SCORE,
            "overlap": OVERLAP,
            "longest": LONGEST,
        }

    def load(self, folders: Folders, device: str) -> FaceSearch:
        """See `DetectorModel.load`; runs on the CPU."""
        del device
        return Network(read(self.path(FILE, folders), FILE.sha256))


class Network:
    """The network, ready to look at photos."""

    def __init__(self, content: bytes) -> None:
        """Open the file.

        Args:
            content: The bytes of the file, verified.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def faces(self, photo: Image, smallest: float) -> Detections:
        """See `bench.faces.detector_model.FaceSearch`."""
        times = math.ceil(max(photo.shape[:2]) / LONGEST)
        faces = self.all_faces(photo) if times < 2 else averaged(photo, times, self.all_faces)
        large = (faces.boxes[:, 2:] - faces.boxes[:, :2]).max(1, initial=0) >= smallest
        return Detections(faces.boxes[large], faces.scores[large], faces.landmarks[large])

    def all_faces(self, photo: Image) -> Detections:
        """Every face of a photo, however small, without averaging it first.

        Args:
            photo: uint8 [height, width, 3].
        """
        # the grids have whole cells: black is added on the right and below
        height, width = (-(-side // STRIDES[-1]) * STRIDES[-1] for side in photo.shape[:2])
        prepared = np.zeros((1, 3, height, width), np.float32)
        prepared[0, :, : photo.shape[0], : photo.shape[1]] = photo[:, :, ::-1].transpose(2, 0, 1)
        names = [f"{kind}_{stride}" for stride in STRIDES for kind in ("cls", "obj", "bbox", "kps")]
        maps = self._session.run(names, {"input": prepared})
        parts = []
        for i, stride in enumerate(STRIDES):
            classes, objects, boxes, points = (part[0] for part in maps[4 * i : 4 * i + 4])
            parts.append(decode(classes, objects, boxes, points, columns=width // stride, stride=stride))
        boxes, scores, landmarks = (np.concatenate(group) for group in zip(*parts, strict=True))
        if not len(boxes):
            return no_faces()
        kept = suppress(boxes, scores, OVERLAP)
        return Detections(boxes[kept], scores[kept], landmarks[kept])


def decode(
    classes: Array, objects: Array, boxes: Array, points: Array, *, columns: int, stride: int
) -> tuple[Array, Array, Array]:
    """The faces that one grid tells of.

    Args:
        classes: float32 [cells, 1], the confidence that what is there is a face, row by row.
        objects: float32 [cells, 1], the confidence that something is there.
        boxes: float32 [cells, 4]: the centre relative to the cell's corner, in cells, and the logarithms of
            width and height in cells.
        points: float32 [cells, 10]: five points likewise, x and y in turn. The network calls the eye that is
            on the left of the photo the right one, so they are in the order of `bench.types.Face`.
        columns: The number of cells in a row.
        stride: The side of a cell in pixels.

    Returns:
        float32 [n, 4], boxes as corners; float32 [n], scores: the geometric mean of both confidences;
            float32 [n, 5, 2], landmarks. All in pixels.
    """
    scores = np.sqrt(classes[:, 0].clip(0, 1) * objects[:, 0].clip(0, 1))
    cells = np.flatnonzero(scores >= SCORE)
    corner = np.stack([cells % columns, cells // columns], 1).astype(np.float32)
    centre, size = corner + boxes[cells, :2], np.exp(np.minimum(boxes[cells, 2:], _LARGEST))
    around = np.concatenate([centre - size / 2, centre + size / 2], 1) * np.float32(stride)
    landmarks = (points[cells].reshape(-1, 5, 2) + corner[:, None]) * np.float32(stride)
    return around, scores[cells], landmarks


DETECTOR = YuNet()
