"""Whole journeys of a photo: through a messenger, and over a screen. The steps are this project's choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from PIL import Image as Pillow
from PIL import ImageFilter

from bench.channels.platforms import Jpeg, array, rounded, scaled, smaller
from bench.types import Image

LONGEST = 1600
QUALITY = 70
"""Longest side and JPEG quality of a photo in Signal's standard setting (Signal-Android,
`PushMediaConstraints`, level 1); Telegram for Android takes 1280 pixels and quality 80."""

SCREEN = 0.75
"""The screen's pixels for each pixel of the photo, a side: large photos are rarely shown 1:1."""


@dataclass(frozen=True)
class Messenger:
    """A messenger: at most 1600 pixels a side, light sharpening, JPEG quality 70 with 4:2:0 chroma.

    A larger photo is scaled back to its own size afterwards, so that a stated box stays in place. The
    attacker's alignment resamples in any case. A smaller photo is never enlarged.
    """

    purifier: ClassVar[bool] = False
    libraries: ClassVar[tuple[str, ...]] = ("pillow",)

    def __call__(self, photo: Image) -> Image:
        """Send one photo."""
        height, width = photo.shape[:2]
        factor = min(1.0, LONGEST / max(height, width))
        small = photo if factor == 1 else scaled(photo, *smaller(width, height, factor), "lanczos")
        sharpen = ImageFilter.UnsharpMask(radius=1, percent=40, threshold=2)
        sent = Jpeg(QUALITY)(array(Pillow.fromarray(small).filter(sharpen)))
        return sent if factor == 1 else scaled(sent, width, height, "bilinear")

    def __str__(self) -> str:
        return "messenger"


@dataclass(frozen=True)
class Screenshot:
    """A screenshot: the photo is shown at 3/4 of its size (bilinear, another gamma) and captured as PNG.

    The screen is calibrated to a gamma of 2.2. Its capture counts as sRGB, whose curve (IEC 61966-2-1)
    differs a little, most in the shadows. The capture is scaled back to the photo's own size.
    """

    purifier: ClassVar[bool] = False
    libraries: ClassVar[tuple[str, ...]] = ("pillow",)

    def __call__(self, photo: Image) -> Image:
        """Show and capture one photo. A PNG loses nothing, so none is written."""
        height, width = photo.shape[:2]
        shown = scaled(photo, *smaller(width, height, SCREEN), "bilinear")
        return scaled(_CURVE[shown], width, height, "bilinear")

    def __str__(self) -> str:
        return "screenshot"


def _curve() -> Image:
    """The map from 8-bit sRGB over light to 8 bits of a gamma of 2.2."""
    value = np.arange(256) / 255
    light = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return rounded(255 * light ** (1 / 2.2))


_CURVE = _curve()
