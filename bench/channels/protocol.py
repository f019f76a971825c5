"""What every step between a released file and an embedding has in common."""

from __future__ import annotations

from typing import Protocol

from bench.types import Image


class Channel(Protocol):
    """A step, seen from outside: 8-bit photo in, 8-bit photo of the same size out, the same each time."""

    @property
    def purifier(self) -> bool:
        """Whether it is the attacker's, to be run on everything that the attacker holds."""

    @property
    def libraries(self) -> tuple[str, ...]:
        """Distributions whose version can change a result."""

    def __call__(self, photo: Image) -> Image:
        """Pass one photo, [height, width, 3], through; the photo itself stays as it is."""

    def __str__(self) -> str:
        """The name that `parse` reads; equal channels have equal names."""
