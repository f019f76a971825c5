"""LPIPS with AlexNet: how far apart two photos are to the features of a network (Zhang et al. 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bench.metrics._alexnet import LAYERS, Side, features, sides
from bench.types import Image

if TYPE_CHECKING:
    import torch

SHAPES = {
    **{f"features.{number}.weight": shape for number, (shape, *_) in LAYERS.items()},
    **{f"features.{number}.bias": shape[:1] for number, (shape, *_) in LAYERS.items()},
    **{f"lin{i}.model.1.weight": (1, shape[0], 1, 1) for i, (shape, *_) in enumerate(LAYERS.values())},
}
"""Name -> shape of every tensor that is needed: torchvision's names, and those of LPIPS's linear heads."""

SMALLEST = 31
"""Pixels: below this side nothing is left of a photo after AlexNet's second maximum."""

WHOLE = 2**20
"""Photos of up to so many pixels are one tile."""

TILE = 32
"""The side of the tiles of larger photos, in places of the last layer: 16 pixels each."""

_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""What LPIPS takes off colours in [-1, 1], and then divides them by (version 0.1 of its authors' code)."""

_EPSILON = 1e-10


class Lpips:
    """LPIPS of two photos (Zhang et al. 2018, equation 1), with the heads of version 0.1."""

    def __init__(self, weights: Mapping[str, npt.NDArray[np.float32]], sha256: str = "") -> None:
        """Store.

        Args:
            weights: Name -> tensor, as `SHAPES` has them; others are not looked at.
            sha256: The digest of the file that the weights come from.

        Raises:
            ValueError: naming the first tensor that is missing or has another shape.
        """
        for name, shape in SHAPES.items():
            if name not in weights:
                raise ValueError(f"there is no tensor {name}")
            if weights[name].shape != shape:
                raise ValueError(f"tensor {name} is {weights[name].shape}, it should be {shape}")
        self._weights, self.sha256 = {name: weights[name] for name in SHAPES}, sha256

    def distance(self, original: Image, released: Image, *, whole: int = WHOLE, tile: int = TILE) -> float:
        """LPIPS of two photos or regions: 0 for identical ones, larger for larger differences.

        A large photo is computed a tile at a time, in little memory, and a tile without a change is 0.

        Args:
            original: uint8 [height, width, 3].
            released: The same shape.
            whole: The most pixels of a photo that is one tile.
            tile: The side of the tiles of larger photos, in places of 16 pixels.

        Returns:
            Not rounded; NaN where a side is below `SMALLEST`.
        """
        height, width = original.shape[:2]
        if min(height, width) < SMALLEST:
            return float("nan")
        if np.array_equal(original, released):
            return 0.0
        small = height * width <= whole
        totals = [0.0] * len(LAYERS)
        for down, across in product(
            *(list(sides(side, None if small else tile)) for side in (height, width))
        ):
            place = slice(*down.pixels), slice(*across.pixels)
            if not np.array_equal(original[place], released[place]):
                for layer, total in enumerate(self._tile(original[place], released[place], down, across)):
                    totals[layer] += total / (down.places[layer] * across.places[layer])
        return sum(totals)

    def between(self, original: torch.Tensor, released: torch.Tensor) -> torch.Tensor:
        """LPIPS of two pictures, differentiably, in one piece: a scalar, 0 where a side is below `SMALLEST`.

        Args:
            original: float [3, height, width] in 0 to 255.
            released: The same shape.
        """
        import torch

        if min(original.shape[1:]) < SMALLEST:
            return 0 * released.sum()
        down, across = (next(iter(sides(side, None))) for side in original.shape[1:])
        x = _prepared(torch.stack([original, released]))
        tensors = {name: tensor.to(x) for name, tensor in self._tensors.items()}
        layers = enumerate(features(x, tensors, down, across))
        return torch.stack([self._apart(i, output).mean() for i, output in layers]).sum()

    def _tile(self, original: Image, released: Image, down: Side, across: Side) -> list[float]:
        """For each layer the sum of distances over a tile's own places."""
        import torch

        with torch.no_grad():
            both = torch.from_numpy(np.stack([original, released])).permute(0, 3, 1, 2).float()
            layers = enumerate(features(_prepared(both), self._tensors, down, across))
            return [float(self._apart(i, output).sum(dtype=torch.float64)) for i, output in layers]

    @cached_property
    def _tensors(self) -> dict[str, torch.Tensor]:
        import torch

        return {name: torch.from_numpy(np.ascontiguousarray(w)).float() for name, w in self._weights.items()}

    def _apart(self, number: int, output: torch.Tensor) -> torch.Tensor:
        """Squared differences of features of unit length, weighed by channel: [row, column].

        Where all features are 0 the root would have no slope, so it is taken of a little more.
        """
        unit = output / (output.square().sum(1, keepdim=True).clamp_min(_EPSILON**2).sqrt() + _EPSILON)
        squared = (unit[0] - unit[1]).square()
        head = self._tensors[f"lin{number}.model.1.weight"].view(-1, 1, 1).to(squared)
        return (squared * head).sum(0)


def _prepared(levels: torch.Tensor) -> torch.Tensor:
    """Pictures [n, 3, height, width] in 0 to 255, as the network takes them."""
    import torch

    shift, scale = (torch.tensor(values).view(1, -1, 1, 1).to(levels) for values in (_SHIFT, _SCALE))
    return (levels / 127.5 - 1 - shift) / scale
