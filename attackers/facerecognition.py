"""Nextcloud Face Recognition: Chinese Whispers at a narrow distance, people of five faces and more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.types import PluginCard

from ._presets.deployed import Numbers
from ._presets.families import DLIB_LENGTH
from ._presets.whispers import Whispers


@dataclass(frozen=True)
class Facerecognition(Whispers):
    """The clusters that Nextcloud Face Recognition shows as people; see `Whispers`.

    The product works on 5,000 faces at a time and proposes merges to its user. Here all photos come at once,
    and nobody answers proposals.

    Attributes:
        least: The number of photos that make a cluster; smaller ones are noise.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="Chinese Whispers at Euclidean .4, 5 faces, as in Nextcloud Face Recognition; not tuned",
        source="preset of Nextcloud Face Recognition, 2026-08-04: SettingsService.php, ChineseWhispers.php",
    )
    numbers: ClassVar[Numbers] = {"dlib": {"distance": 0.4, "length": DLIB_LENGTH}}

    least: int = 5


PLUGIN = Facerecognition
