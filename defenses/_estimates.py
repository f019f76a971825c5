"""Gradients made of gradients at several points. Private to this folder; see `bench.protocols.Estimate`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from bench.protocols import Moment, Pictures

from ._updates import levelled

if TYPE_CHECKING:
    import torch

Slope = Callable[["torch.Tensor"], "torch.Tensor"]


@dataclass(frozen=True, slots=True)
class Tuned:
    """The gradient, and how the neighbours' gradients differed from it one step ago.

    Attributes:
        radius: How far neighbours lie in every value, in levels.
        neighbours: How many there are.
    """

    radius: float
    neighbours: int
    memory: ClassVar[int] = 1

    def __call__(
        self, pictures: Pictures, slope: Slope, memory: Sequence[torch.Tensor], moment: Moment
    ) -> torch.Tensor:
        """See `bench.protocols.Estimate`."""
        here = slope(pictures.levels)
        around = here.new_zeros(here.shape)
        for _ in range(self.neighbours):
            around += slope(_near(pictures, self.radius, moment))
        tuned = here + memory[0]
        memory[0].copy_(around / self.neighbours - here)
        return tuned


@dataclass(frozen=True, slots=True)
class Flat:
    """The mean over neighbours of the gradient there, and of the one a step further uphill.

    Attributes:
        radius: How far neighbours lie in every value, in levels.
        step: How far uphill the second gradient is taken, in levels of the mean value.
        neighbours: How many neighbours there are.
        balance: The share of the second gradients.
    """

    radius: float
    step: float
    neighbours: int
    balance: float
    memory: ClassVar[int] = 0

    def __call__(
        self, pictures: Pictures, slope: Slope, memory: Sequence[torch.Tensor], moment: Moment
    ) -> torch.Tensor:
        """See `bench.protocols.Estimate`."""
        del memory
        total = pictures.levels.new_zeros(pictures.levels.shape)
        for _ in range(self.neighbours):
            near = _near(pictures, self.radius, moment)
            first = slope(near)
            second = slope(near + self.step * levelled(first))
            total += (1 - self.balance) * first + self.balance * second
        return total / self.neighbours


@dataclass(frozen=True, slots=True)
class Yielding:
    """The mean over warps of the face, each of which first gives way to the loss.

    A warp is a thin-plate spline over three by three points on the face's box, of which the one in the middle
    is moved.

    Attributes:
        warps: How many gradients are averaged.
        largest: How far the point in the middle moves at most, in half sides of the box.
        give: How far a warp moves uphill of the loss before the gradient is taken through it.
    """

    warps: int
    largest: float
    give: float
    memory: ClassVar[int] = 0

    def __call__(
        self, pictures: Pictures, slope: Slope, memory: Sequence[torch.Tensor], moment: Moment
    ) -> torch.Tensor:
        """See `bench.protocols.Estimate`."""
        import torch

        del memory
        still, push = _field(pictures)
        total = torch.zeros_like(pictures.levels)
        for _ in range(self.warps):
            offset = (self.largest * (2 * moment.uniform(2) - 1)).requires_grad_(True)
            seen = moment.sample(pictures.levels, still + push * offset[:, None, None])
            (uphill,) = torch.autograd.grad(seen, offset, slope(seen.detach()))
            offset = (offset + self.give * uphill).detach()
            leaf = pictures.levels.detach().requires_grad_(True)
            seen = moment.sample(leaf, still + push * offset[:, None, None])
            total += torch.autograd.grad(seen, leaf, slope(seen.detach()))[0]
        return total / self.warps


@dataclass(frozen=True, slots=True)
class Clipped:
    """The gradient at a photo in another light, cropped and noisy, and brought back into the budget.

    What was brought back has no gradient.

    Attributes:
        limit: The L-infinity budget in levels.
        light: The largest change of all values together, in levels.
        noise: The standard deviation of the noise, in levels.
    """

    limit: float
    light: float
    noise: float
    memory: ClassVar[int] = 0

    def __call__(
        self, pictures: Pictures, slope: Slope, memory: Sequence[torch.Tensor], moment: Moment
    ) -> torch.Tensor:
        """See `bench.protocols.Estimate`."""
        del memory
        shape = pictures.levels.shape[1:]
        shift = self.light * (2 * moment.uniform(1, 1, 1) - 1)
        wanted = pictures.levels + shift + self.noise * moment.normal(*shape)
        change = wanted - pictures.original
        held = pictures.original + change.clamp(-self.limit, self.limit)
        return slope(held) * (change.abs() <= self.limit)


def _near(pictures: Pictures, radius: float, moment: Moment) -> torch.Tensor:
    """Levels of a neighbour, anywhere within the radius in every value."""
    return pictures.levels + radius * (2 * moment.uniform(*pictures.levels.shape[1:]) - 1)


def _field(pictures: Pictures) -> tuple[torch.Tensor, torch.Tensor]:
    """Where pixels look, and how far each moves when the middle of the face moves by half a side of its box.

    Returns:
        [height, width, 2] and [n, height, width, 2], x and y in pixels.
    """
    import torch

    height, width = pictures.levels.shape[2:]
    axes = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    still = torch.stack(axes[::-1], -1).to(pictures.levels)
    boxes = pictures.faces.to(pictures.levels)
    middle, half = (boxes[:, :2] + boxes[:, 2:] - 1) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    place = ((still - middle[:, None, None]) / half[:, None, None]).clamp(-1, 1)
    nodes, weights = (torch.from_numpy(part).to(pictures.levels) for part in _spline())
    squares = (place[..., None, :] - nodes).square().sum(-1)
    bump = (_kernel(squares) * weights[:9]).sum(-1) + weights[9] + place @ weights[10:]
    return still, bump[..., None] * half[:, None, None]


@cache
def _spline() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The thin-plate spline that is 1 at the middle of three by three points of [-1, 1]², 0 at the others.

    Returns:
        The points, [9, 2], and the weights of the kernel at each, of 1, of x and of y: [12].
    """
    import torch

    nodes = np.stack(np.meshgrid([-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]), -1).reshape(9, 2)
    squares = np.square(nodes[:, None] - nodes).sum(-1)
    plane = np.hstack([np.ones((9, 1)), nodes])
    matrix = np.block([[_kernel(torch.from_numpy(squares)).numpy(), plane], [plane.T, np.zeros((3, 3))]])
    return nodes, np.linalg.solve(matrix, np.eye(12)[4])


def _kernel(squares: torch.Tensor) -> torch.Tensor:
    return squares * (squares + 1e-9).log()
