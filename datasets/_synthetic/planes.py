"""Stacked parameters and soft edges, which all painters use.

A plane is float [n, height, width]; scalar parameters broadcast against it.
Fractional powers are computed by exp and log. Torch's `pow` may round the last elements of a block in another
way than the others, and the ends of blocks depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from .picture import Picture

if TYPE_CHECKING:
    from .identity import Identity
    from .photo import Photo


class Stack:
    """The parameters of n people or photos, each as one tensor.

    A scalar becomes [n, 1, 1], a list of k a tensor [k, n, 1, 1], a colour a picture of [n, 1, 1] planes.
    """

    def __init__(
        self, tensors: dict[str, Tensor], lists: frozenset[str], colours: dict[str, Picture]
    ) -> None:
        self._tensors, self._lists, self._colours = tensors, lists, colours

    def __getattr__(self, name: str) -> Tensor:
        try:
            return self._tensors[name]
        except KeyError:
            raise AttributeError(name) from None

    def colour(self, name: str) -> Picture:
        """The colour of a name."""
        return self._colours[name]

    def only(self, start: int, count: int) -> Stack:
        """The parameters of `count` people or photos, from number `start` on."""
        # the first axis of a list counts its members, the second axis counts people or photos
        cut = {k: v.narrow(int(k in self._lists), start, count) for k, v in self._tensors.items()}
        colours = {k: v.each(lambda plane: plane.narrow(0, start, count)) for k, v in self._colours.items()}
        return Stack(cut, self._lists, colours)

    def double(self) -> Stack:
        """The same parameters in 64 bits; colours stay in 32 bits."""
        return Stack({k: v.double() for k, v in self._tensors.items()}, self._lists, self._colours)


def stack(items: Sequence[Identity] | Sequence[Photo], device: str) -> Stack:
    """Stack the parameters of people or of photos, in 32 bits."""
    tensors: dict[str, Tensor] = {}
    lists: set[str] = set()
    colours: dict[str, Picture] = {}
    for field in fields(items[0]):
        values = np.asarray([getattr(item, field.name) for item in items], np.float32)
        tensor = torch.from_numpy(values).to(device)
        if isinstance(getattr(items[0], field.name), tuple):
            colours[field.name] = Picture(*tensor.T[:, :, None, None].contiguous())
        elif tensor.ndim == 2:
            lists.add(field.name)
            tensors[field.name] = tensor.T[:, :, None, None].contiguous()
        else:
            tensors[field.name] = tensor[:, None, None]
    return Stack(tensors, frozenset(lists), colours)


def edge(signed: Tensor, width: float) -> Tensor:
    """A soft step: 0 where `signed` is below -width, 1 above width."""
    return (signed * (0.5 / width) + 0.5).clamp(0, 1)


def _fade(exponent: Tensor) -> Tensor:
    # exp(-30) is far below 1/255; without the limit most of a plane is denormal, and ten times slower
    return torch.exp(-exponent.clamp_max(30.0))


def bell(distance: Tensor, spread: Tensor | float) -> Tensor:
    """exp(-(distance / spread)^2)."""
    return _fade((distance / spread) ** 2)


def blob(dx: Tensor, sx: Tensor | float, dy: Tensor, sy: Tensor | float) -> Tensor:
    """The product of two bells: exp(-(dx / sx)^2 - (dy / sy)^2)."""
    return _fade((dx / sx) ** 2 + (dy / sy) ** 2)


def power(base: Tensor, exponent: Tensor | float) -> Tensor:
    """The fractional power base ** exponent, for base >= 0."""
    return torch.exp(torch.log(base.clamp_min(1e-7)) * exponent)
