"""The package face_recognition: names by the nearest photo, up to dlib's tolerance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.types import PluginCard

from ._presets.accepting import Accepting
from ._presets.deployed import Numbers
from ._presets.families import DLIB_LENGTH


@dataclass(frozen=True)
class FaceRecognition(Accepting):
    """People by their nearest photo within the tolerance of .6, as the package and dlib's examples compare.

    The distance is Euclidean, between dlib's embeddings as they are. See `Accepting`.

    Attributes:
        length: The mean length of the family's embeddings. Embeddings have length 1 here, so that the
            distance is divided by it; None is that of dlib's.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="nearest photo up to the Euclidean tolerance .6 of face_recognition and dlib; not tuned",
        source="preset of face_recognition 1.3: face_recognition/api.py, compare_faces",
    )
    numbers: ClassVar[Numbers] = {"dlib": {"distance": 0.6, "length": DLIB_LENGTH}}

    length: float | None = None

    @property
    def cosine(self) -> float:
        """The cosine from which a photo is accepted."""
        # For unit vectors |a - b|^2 = 2 (1 - cos).
        return 1 - (self.number("distance") / self.number("length")) ** 2 / 2


PLUGIN = FaceRecognition
