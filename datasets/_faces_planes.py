"""The few tools the painters share: soft edges, stacked parameters, and small windows of a photo.

A plane is float [n, height, width], a picture float [n, 3, height, width]; parameters broadcast against both.
Fractional powers go through exp and log: torch's `pow` may round the odd elements at the end of a block
otherwise than the rest, and where a block ends depends on the number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from ._faces_identity import Identity
    from ._faces_photo import Photo


class Stack:
    """The parameters of n people or photos, each as one tensor.

    A scalar becomes [n, 1, 1], a colour [n, 3, 1, 1], and a list of k a tensor [k, n, 1, 1].
    """

    def __init__(self, tensors: dict[str, Tensor], lists: frozenset[str]) -> None:
        self._tensors, self._lists = tensors, lists

    def __getattr__(self, name: str) -> Tensor:
        try:
            return self._tensors[name]
        except KeyError:
            raise AttributeError(name) from None

    def only(self, start: int, count: int) -> Stack:
        """The parameters of `count` of them, from `start` on."""
        # the first axis of a list counts its members, the second one people
        cut = {k: v.narrow(int(k in self._lists), start, count) for k, v in self._tensors.items()}
        return Stack(cut, self._lists)

    def double(self) -> Stack:
        """The same in 64 bits."""
        return Stack({k: v.double() for k, v in self._tensors.items()}, self._lists)


def stack(items: Sequence[Identity] | Sequence[Photo], device: str) -> Stack:
    """Stack the parameters of people or of photos, in 32 bits."""
    tensors: dict[str, Tensor] = {}
    lists: set[str] = set()
    for field in fields(items[0]):
        tensor = torch.from_numpy(np.asarray([getattr(item, field.name) for item in items], np.float32))
        if isinstance(getattr(items[0], field.name), tuple):
            tensor = tensor[:, :, None, None]
        elif tensor.ndim == 2:
            lists.add(field.name)
            tensor = tensor.T[:, :, None, None]
        else:
            tensor = tensor[:, None, None]
        tensors[field.name] = tensor.contiguous().to(device)
    return Stack(tensors, frozenset(lists))


def edge(signed: Tensor, width: float) -> Tensor:
    """A soft step: 0 where `signed` is below -width, 1 above width."""
    return (signed * (0.5 / width) + 0.5).clamp(0, 1)


def _fade(exponent: Tensor) -> Tensor:
    # far below the 1/255 of a photo; without the floor most of a plane is denormal, and ten times slower
    return torch.exp(-exponent.clamp_max(30.0))


def bell(distance: Tensor, spread: Tensor | float) -> Tensor:
    """exp(-(distance / spread)^2)."""
    return _fade((distance / spread) ** 2)


def blob(dx: Tensor, sx: Tensor | float, dy: Tensor, sy: Tensor | float) -> Tensor:
    """A bell in two directions."""
    return _fade((dx / sx) ** 2 + (dy / sy) ** 2)


def power(base: Tensor, exponent: Tensor | float) -> Tensor:
    """Raise to a fractional power: base ** exponent, for base >= 0."""
    return torch.exp(torch.log(base.clamp_min(1e-7)) * exponent)


def paint(picture: Tensor, colour: Tensor, cover: Tensor) -> Tensor:
    """Lay a colour (or picture) over a picture where `cover`, a plane in [0, 1], says so."""
    return torch.lerp(picture, colour.expand_as(picture), cover.unsqueeze(1))


def grey(value: float, like: Tensor) -> Tensor:
    """A grey that broadcasts against pictures."""
    return like.new_full((1, 1, 1, 1), value)


def rgb(red: float, green: float, blue: float, like: Tensor) -> Tensor:
    """A colour that broadcasts against pictures."""
    return like.new_tensor((red, green, blue)).view(1, 3, 1, 1)


@dataclass(frozen=True, slots=True)
class Window:
    """One small rectangle per photo: small features are painted there and nowhere else."""

    which: Tensor
    rows: Tensor
    columns: Tensor

    @classmethod
    def around(cls, centres: Tensor, height: int, width: int, side: int) -> Window:
        """Rectangles [height, width] round `centres` [n, 2] (x, y in pixels), moved inside the photo."""
        top = (centres[:, 1].round().long() - height // 2).clamp(0, side - height)
        left = (centres[:, 0].round().long() - width // 2).clamp(0, side - width)
        device = centres.device
        return cls(
            which=torch.arange(len(centres), device=device)[:, None, None],
            rows=(top[:, None] + torch.arange(height, device=device))[:, :, None],
            columns=(left[:, None] + torch.arange(width, device=device))[:, None, :],
        )

    def plane(self, plane: Tensor) -> Tensor:
        """Cut the rectangles out of a plane."""
        return plane[self.which, self.rows, self.columns]

    def picture(self, picture: Tensor) -> Tensor:
        """Cut the rectangles out of a picture."""
        return picture.permute(0, 2, 3, 1)[self.which, self.rows, self.columns].permute(0, 3, 1, 2)

    def paste(self, picture: Tensor, patch: Tensor) -> None:
        """Put rectangles back, in place."""
        picture.permute(0, 2, 3, 1)[self.which, self.rows, self.columns] = patch.permute(0, 2, 3, 1)
