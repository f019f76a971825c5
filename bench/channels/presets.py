"""Whole journeys of a photo: through a messenger, over a screen, and to the preview that a product looks at.

The steps of messenger and screen are this project's choice. A preview is an attacker's own look at all photos
that it holds.
"""

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
        sharpen = ImageFilter.UnsharpMask(radius=1, percent=40, threshold=2)
        sent = Jpeg(QUALITY)(array(Pillow.fromarray(_fitted(photo, LONGEST)).filter(sharpen)))
        return _enlarged(sent, photo)

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


@dataclass(frozen=True)
class Preview:
    """The copy of a photo in which a photo manager looks for faces. It runs on all photos that it holds.

    A larger photo is scaled back to its own size afterwards, as by `Messenger`. A smaller photo is never
    enlarged.

    Attributes:
        product: The product, as in the channel's name.
        longest: The largest number of pixels of the longer side.
        quality: The JPEG quality of the copy; 0 where the product's is not known, and none is written.
    """

    purifier: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("pillow",)
    product: str
    longest: int
    quality: int = 0

    def __call__(self, photo: Image) -> Image:
        """Make the copy of one photo."""
        small = _fitted(photo, self.longest)
        return _enlarged(Jpeg(self.quality)(small) if self.quality else small, photo)

    def __str__(self) -> str:
        return f"{self.product}-preview"


IMMICH = Preview("immich", 1440, 80)
"""Immich, as of 2026: faces are detected on the preview (docs/features/facial-recognition.md)."""
PHOTOPRISM = Preview("photoprism", 720)
"""PhotoPrism 260919: YuNet looks at the thumbnail of 720 pixels (internal/ai/face/README.md)."""


def _fitted(photo: Image, longest: int) -> Image:
    """A photo scaled down so that its longer side has at most `longest` pixels."""
    height, width = photo.shape[:2]
    factor = min(1.0, longest / max(height, width))
    return photo if factor == 1 else scaled(photo, *smaller(width, height, factor), "lanczos")


def _enlarged(copy: Image, photo: Image) -> Image:
    """A copy at the size of the photo that it was made of."""
    height, width = photo.shape[:2]
    return copy if copy.shape == photo.shape else scaled(copy, width, height, "bilinear")


def _curve() -> Image:
    """The map from 8-bit sRGB over light to 8 bits of a gamma of 2.2."""
    value = np.arange(256) / 255
    light = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return rounded(255 * light ** (1 / 2.2))


_CURVE = _curve()
