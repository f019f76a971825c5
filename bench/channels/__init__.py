"""What happens to a photo between release and attacker: `none`, `jpeg:75`.

A channel is applied to released photos; the attacker's own collection stays as it was found.
"""

from __future__ import annotations

from io import BytesIO
from typing import Protocol

import numpy as np
from PIL import Image as Pillow

from bench.errors import UserError, unknown_name
from bench.types import Image


class Channel(Protocol):
    """A platform, seen from outside: 8-bit photo in, 8-bit photo of the same size out."""

    def __call__(self, photo: Image) -> Image:
        """Pass one photo through."""

    def __str__(self) -> str:
        """The name that `parse` reads."""


class Direct:
    """The released file itself."""

    def __call__(self, photo: Image) -> Image:
        """Return the photo as it is."""
        return photo

    def __str__(self) -> str:
        return "none"


class Jpeg:
    """Re-encoding as baseline JPEG with 4:2:0 chroma, as photo platforms do (libjpeg through Pillow)."""

    def __init__(self, quality: int) -> None:
        """Store the quality, 1 to 100."""
        self.quality = quality

    def __call__(self, photo: Image) -> Image:
        """Encode and decode once."""
        file = BytesIO()
        Pillow.fromarray(photo).save(file, "JPEG", quality=self.quality, subsampling=2)
        return np.array(Pillow.open(file).convert("RGB"))  # a copy: torch wants memory it may write to

    def __str__(self) -> str:
        return f"jpeg:{self.quality}"


def parse(text: str) -> Channel:
    """Read `none` or `jpeg:QUALITY`.

    Raises:
        UserError: for any other name, or a quality that is not a whole number from 1 to 100.
    """
    name, _, value = text.partition(":")
    if text == "none":
        return Direct()
    if name == "jpeg":
        if not value.isdigit() or not 1 <= int(value) <= 100:
            raise UserError(
                f"channel {text!r}: JPEG quality is a whole number from 1 to 100. Try --channel jpeg:75."
            )
        return Jpeg(int(value))
    raise unknown_name("channel", text, ["none", "jpeg:75"], command="bench list channels")
