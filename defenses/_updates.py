"""Updates of published cloaks. Private to this folder; see `bench.protocols.Update`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.protocols import Turn

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Adadelta:
    """Adadelta (Zeiler 2012, algorithm 1), with a rate.

    Attributes:
        rate: What a step is multiplied by.
        decay: The decay of both means of squares.
        epsilon: Added to both before their roots are taken.
    """

    rate: float
    decay: float = 0.95
    epsilon: float = 1e-7
    memory: ClassVar[int] = 3

    def absorb(
        self, values: torch.Tensor, gradient: torch.Tensor, memory: Sequence[torch.Tensor], turn: Turn
    ) -> None:
        """Mean squares of gradients and of steps, and the step."""
        del values, turn
        squares, moved, step = memory
        squares.mul_(self.decay).addcmul_(gradient, gradient, value=1 - self.decay)
        step.copy_(gradient * ((moved + self.epsilon) / (squares + self.epsilon)).sqrt())
        moved.mul_(self.decay).addcmul_(step, step, value=1 - self.decay)

    def step(self, values: torch.Tensor, memory: Sequence[torch.Tensor], turn: Turn) -> torch.Tensor:
        """The step that was made out of the last gradient."""
        del turn
        return values - self.rate * memory[2]


@dataclass(frozen=True, slots=True)
class Straight:
    """Steps along the accumulated gradient itself, not along its signs; under `linf:N` only.

    Attributes:
        reach: The sum of the steps' root mean squares, in budgets.
        momentum: The decay of the accumulated gradient.
    """

    reach: float
    momentum: float
    memory: ClassVar[int] = 1

    def absorb(
        self, values: torch.Tensor, gradient: torch.Tensor, memory: Sequence[torch.Tensor], turn: Turn
    ) -> None:
        """Momentum of the gradient, each scaled to mean magnitude one."""
        del values, turn
        memory[0].mul_(self.momentum).add_(levelled(gradient))

    def step(self, values: torch.Tensor, memory: Sequence[torch.Tensor], turn: Turn) -> torch.Tensor:
        """A step whose root mean square over all values with a gradient is the same every time."""
        way = memory[0]
        seen = (way != 0).sum((1, 2, 3), keepdim=True).clamp_min(1)
        size = (way.square().sum((1, 2, 3), keepdim=True) / seen).sqrt().clamp_min(1e-30)
        return values - self.reach * turn.limit / turn.steps * way / size


def levelled(gradient: torch.Tensor) -> torch.Tensor:
    """A gradient [n, 3, height, width], each scaled to mean magnitude one."""
    return gradient / gradient.abs().mean((1, 2, 3), keepdim=True).clamp_min(1e-30)
