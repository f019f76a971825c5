"""Updates that a defense can name: `SignSteps`, `Adam` and `TanhSpace` of `bench.descent`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from bench.descent import Adam, Descent, SignSteps, TanhSpace, Turn, Update

_EDGE = 1 - 1e-6
"""How near to the end of its range a value comes in tanh space, where the end itself is infinitely far."""


def update_of(descent: Descent) -> Update:
    """The update that a descent asks for."""
    chosen = descent.update or SignSteps(descent.reach, descent.momentum)
    return _implemented(chosen)


def needs_levels(descent: Descent) -> bool:
    """Whether a descent is measured in parts of an L-infinity budget."""
    return descent.random_start or isinstance(descent.update or SignSteps(), SignSteps)


def _implemented(chosen: Update | SignSteps | Adam | TanhSpace) -> Update:
    if isinstance(chosen, SignSteps):
        return _SignSteps(chosen.reach, chosen.momentum)
    if isinstance(chosen, Adam):
        return _Adam(chosen)
    if isinstance(chosen, TanhSpace):
        return _TanhSpace(_implemented(chosen.update))
    return chosen


@dataclass(frozen=True, slots=True)
class _SignSteps:
    reach: float
    momentum: float
    memory: int = 1

    def absorb(
        self, values: torch.Tensor, gradient: torch.Tensor, memory: Sequence[torch.Tensor], turn: Turn
    ) -> None:
        """Momentum of the gradient, each scaled to mean magnitude one (MI-FGSM, equation 6)."""
        del values, turn
        memory[0].mul_(self.momentum).add_(levelled(gradient))

    def step(self, values: torch.Tensor, memory: Sequence[torch.Tensor], turn: Turn) -> torch.Tensor:
        """A step down along the sign (MI-FGSM, equation 7)."""
        length = self.reach * turn.limit / turn.steps
        return torch.sub(values, memory[0].sign(), alpha=length)


@dataclass(frozen=True, slots=True)
class _Adam:
    numbers: Adam
    memory: int = 2

    def absorb(
        self, values: torch.Tensor, gradient: torch.Tensor, memory: Sequence[torch.Tensor], turn: Turn
    ) -> None:
        """Running means of the gradient and of its square."""
        del values, turn
        memory[0].lerp_(gradient, 1 - self.numbers.first)
        memory[1].mul_(self.numbers.second).addcmul_(gradient, gradient, value=1 - self.numbers.second)

    def step(self, values: torch.Tensor, memory: Sequence[torch.Tensor], turn: Turn) -> torch.Tensor:
        """A step along the mean, in units of the root of the mean square, both without their bias."""
        mean = memory[0] / (1 - self.numbers.first**turn.taken)
        square = memory[1] / (1 - self.numbers.second**turn.taken)
        return values - self.numbers.rate * mean / square.sqrt_().add_(self.numbers.epsilon)


@dataclass(frozen=True, slots=True)
class _TanhSpace:
    inner: Update

    @property
    def memory(self) -> int:
        """As much as the update within."""
        return self.inner.memory

    def absorb(
        self, values: torch.Tensor, gradient: torch.Tensor, memory: Sequence[torch.Tensor], turn: Turn
    ) -> None:
        """The gradient towards w: that towards the value, times half the range and 1 - tanh² w."""
        middle, half = _range(turn)
        inside = _inside(values, middle, half)
        self.inner.absorb(inside.atanh(), gradient * half * (1 - inside**2), memory, turn)

    def step(self, values: torch.Tensor, memory: Sequence[torch.Tensor], turn: Turn) -> torch.Tensor:
        """Step in w, and back."""
        middle, half = _range(turn)
        moved = self.inner.step(_inside(values, middle, half).atanh(), memory, turn)
        return middle + half * moved.tanh()


def _range(turn: Turn) -> tuple[torch.Tensor, torch.Tensor]:
    low, high = turn.extent()
    return (low + high) / 2, (high - low) / 2


def _inside(values: torch.Tensor, middle: torch.Tensor, half: torch.Tensor) -> torch.Tensor:
    return ((values - middle) / half).clamp_(-_EDGE, _EDGE)


def levelled(gradient: torch.Tensor) -> torch.Tensor:
    """A gradient [n, 3, height, width], each scaled to mean magnitude one."""
    return gradient / gradient.abs().mean((1, 2, 3), keepdim=True).clamp_min(1e-30)
