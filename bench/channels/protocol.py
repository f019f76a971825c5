"""The contract of every step between a released file and an embedding."""

from __future__ import annotations

from typing import Protocol

from bench.types import Image


class Channel(Protocol):
    """A step from an 8-bit photo to an 8-bit photo of the same size; the same input gives the same output."""

    @property
    def purifier(self) -> bool:
        """Whether the step is the attacker's and runs on everything that the attacker holds."""

    @property
    def libraries(self) -> tuple[str, ...]:
        """The distributions whose version can change a result."""

    def __call__(self, photo: Image) -> Image:
        """Pass one photo, uint8 [height, width, 3], through. The photo itself does not change."""

    def __str__(self) -> str:
        """The name that `parse` reads; equal channels have equal names."""
