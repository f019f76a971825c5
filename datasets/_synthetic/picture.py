"""Pictures and colours as three planes, and small windows of a photo.

A plane is float [n, height, width]; a colour is a picture of [n, 1, 1] planes. Red, green and blue are kept
apart, so that light and cover, which are planes, combine with them without broadcasting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Picture:
    """Red, green and blue in [0, 1]."""

    red: Tensor
    green: Tensor
    blue: Tensor

    @property
    def planes(self) -> tuple[Tensor, Tensor, Tensor]:
        """The planes of red, green and blue."""
        return self.red, self.green, self.blue

    @property
    def mean(self) -> Tensor:
        """The mean of the three planes."""
        return (self.red + self.green + self.blue) / 3

    def each(self, change: Callable[[Tensor], Tensor]) -> Picture:
        """The picture with the same change made to every plane."""
        return Picture(change(self.red), change(self.green), change(self.blue))

    def __mul__(self, other: Picture | Tensor | float) -> Picture:
        """Multiply by light of a colour, or by a plane."""
        if isinstance(other, Picture):
            return Picture(self.red * other.red, self.green * other.green, self.blue * other.blue)
        return Picture(self.red * other, self.green * other, self.blue * other)

    def __add__(self, other: Picture | Tensor | float) -> Picture:
        """Add light of a colour, or of a plane."""
        if isinstance(other, Picture):
            return Picture(self.red + other.red, self.green + other.green, self.blue + other.blue)
        return Picture(self.red + other, self.green + other, self.blue + other)


def rgb(red: float, green: float, blue: float, like: Tensor) -> Picture:
    """A colour of one value a plane, on the device of `like`."""
    return Picture(like.new_tensor(red), like.new_tensor(green), like.new_tensor(blue))


def grey(value: float, like: Tensor) -> Picture:
    """A grey of one value in all planes, on the device of `like`."""
    level = like.new_tensor(value)
    return Picture(level, level, level)


def paint(picture: Picture, colour: Picture, cover: Tensor) -> Picture:
    """Lay a colour or picture over a picture; `cover`, a plane in [0, 1], is its opacity."""
    under = zip(picture.planes, colour.planes, strict=True)
    return Picture(*(torch.lerp(below, above.expand_as(below), cover) for below, above in under))


@dataclass(frozen=True, slots=True)
class Window:
    """One small rectangle of each photo: small features are painted inside it.

    Attributes:
        which: The numbers of the photos, shaped to index planes together with rows and columns.
        rows: The pixel rows of each rectangle, likewise.
        columns: The pixel columns of each rectangle, likewise.
    """

    which: Tensor
    rows: Tensor
    columns: Tensor

    @classmethod
    def around(cls, centres: Tensor, height: int, width: int, side: int) -> Window:
        """Rectangles [height, width] around `centres` [n, 2] (x, y in pixels), moved inside the photo."""
        top = (centres[:, 1].round().long() - height // 2).clamp(0, side - height)
        left = (centres[:, 0].round().long() - width // 2).clamp(0, side - width)
        device = centres.device
        return cls(
            which=torch.arange(len(centres), device=device)[:, None, None],
            rows=(top[:, None] + torch.arange(height, device=device))[:, :, None],
            columns=(left[:, None] + torch.arange(width, device=device))[:, None, :],
        )

    def cut(self, plane: Tensor) -> Tensor:
        """Cut the rectangles out of a plane."""
        return plane[self.which, self.rows, self.columns]

    def repaint(self, picture: Picture, painter: Callable[[Picture], Picture]) -> None:
        """Let a painter work on the rectangles of a picture, in place."""
        for plane, patch in zip(picture.planes, painter(picture.each(self.cut)).planes, strict=True):
            plane[self.which, self.rows, self.columns] = patch
