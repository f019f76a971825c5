"""DeepFace: names by the nearest photo, up to a cosine distance for each network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.types import PluginCard

from ._presets.accepting import Accepting
from ._presets.deployed import Numbers


@dataclass(frozen=True)
class Deepface(Accepting):
    """DeepFace's search in a gallery: people by their nearest photo within the network's threshold.

    The distance is a cosine distance; None takes that of the encoder's family. See `Accepting`.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="nearest photo up to DeepFace's cosine distance, by encoder family; not tuned",
        source="preset of DeepFace, 2026-06-29: deepface/config/threshold.py",
    )
    numbers: ClassVar[Numbers] = {
        "vggface": {"distance": 0.68},
        "facenet128": {"distance": 0.40},
        "facenet512": {"distance": 0.30},
        "arcface_r34": {"distance": 0.68},
        "sface": {"distance": 0.593},
        "ghostfacenet": {"distance": 0.65},
        "dlib": {"distance": 0.07},
        "w600k_r50": {"distance": 0.55},
    }

    @property
    def cosine(self) -> float:
        """The cosine from which a photo is accepted."""
        return 1 - self.number("distance")


PLUGIN = Deepface
