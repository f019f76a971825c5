"""dlib's own face clustering: Chinese Whispers as in its example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.types import PluginCard

from ._presets.deployed import Numbers
from ._presets.families import DLIB_LENGTH
from ._presets.whispers import Whispers


@dataclass(frozen=True)
class DlibWhispers(Whispers):
    """The clusters of dlib's example program, which many small tools copy; see `Whispers`."""

    card: ClassVar[PluginCard] = PluginCard(
        summary="Chinese Whispers at Euclidean .5 as in dlib's example; not tuned",
        source="preset of dlib 20.0: python_examples/face_clustering.py",
    )
    numbers: ClassVar[Numbers] = {"dlib": {"distance": 0.5, "length": DLIB_LENGTH}}


PLUGIN = DlibWhispers
