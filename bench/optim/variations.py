"""Variations that a defense can name: `Blur`, `Sizes`, `Warps` and `Shuffles` of `bench.descent`."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the name every torch program uses

from bench.descent import Blur, Moment, Shuffles, Sizes, Variation, Warps
from bench.optim.diversity import smoothed


def variation_of(chosen: Variation | Blur | Sizes | Warps | Shuffles) -> Variation:
    """The variation that a descent asks for."""
    if isinstance(chosen, Blur):
        return _Blur(chosen)
    if isinstance(chosen, Sizes):
        return _Sizes(chosen)
    if isinstance(chosen, Warps):
        return _Warps(chosen)
    if isinstance(chosen, Shuffles):
        return _Shuffles(chosen)
    return chosen


@dataclass(frozen=True, slots=True)
class _Blur(Variation):
    numbers: Blur

    def photo(self, levels: torch.Tensor, moment: Moment) -> torch.Tensor:
        """The last of every so many copies, blurred."""
        sharp = (moment.copy + 1) % self.numbers.every
        return levels if sharp else smoothed(levels, self.numbers.sigma)


@dataclass(frozen=True, slots=True)
class _Sizes(Variation):
    numbers: Sizes

    def points(self, points: torch.Tensor, moment: Moment) -> torch.Tensor:
        """A frame of f times the size, in which the face lies anywhere: p -> f (p - offset)."""
        chance, size, place = moment.uniform(1, 1, 1), moment.uniform(1, 1, 1), moment.uniform(1, 1, 2)
        factor = 1 + (self.numbers.largest - 1) * size
        side = points.shape[1]
        smaller = factor * (points - place * (side - side / factor))
        return torch.where(chance < self.numbers.share, smaller, points)


@dataclass(frozen=True, slots=True)
class _Warps(Variation):
    numbers: Warps

    def points(self, points: torch.Tensor, moment: Moment) -> torch.Tensor:
        """Displacements of a mesh, spread over the pixels between its points."""
        mesh, side = self.numbers.mesh, points.shape[1]
        field = self.numbers.strength * side * moment.normal(2, mesh, mesh)
        spread = F.interpolate(field, (side, side), mode="bicubic", align_corners=True)
        return points + spread.permute(0, 2, 3, 1).to(points)


@dataclass(frozen=True, slots=True)
class _Shuffles(Variation):
    numbers: Shuffles

    def points(self, points: torch.Tensor, moment: Moment) -> torch.Tensor:
        """Each block looks where another one is; what is left over beside whole blocks stays."""
        blocks, side = self.numbers.blocks, points.shape[1]
        order = moment.uniform(2, blocks).argsort(2)
        width = side // blocks
        place = torch.arange(blocks * width, device=points.device)
        looks = torch.arange(side, device=points.device).expand(len(points), 2, side).clone()
        looks[:, :, : blocks * width] = order[:, :, place // width] * width + place % width
        n = torch.arange(len(points), device=points.device)[:, None, None]
        return points[n, looks[:, 0, :, None], looks[:, 1, None, :]]
