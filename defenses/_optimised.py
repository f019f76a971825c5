"""What defenses with sign steps share: each adds goal, defaults and source. Private to this folder."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import ClassVar

from bench.protocols import Descent
from bench.types import Budget

from ._gradients import GradientDefense

DIVERSE = Descent(jitter=1.0, smoothing=1.0)
"""A descent whose cloaks carry over to encoders that they were not made against: every gradient is taken
through an alignment of its own and smoothed (Xie et al. 2019; Dong et al. 2019), and steps have momentum."""


@dataclass(frozen=True)
class Optimised(GradientDefense):
    """A goal, and sign steps with momentum towards it.

    Every field of a subclass that `bench.protocols.Descent` has too goes into the descent.

    Attributes:
        steps: Gradient steps.
        reach: The sum of all steps, in budgets.
        momentum: The decay of the accumulated gradient.
    """

    steps: int = 20
    reach: float = 2.5
    momentum: float = 1.0

    fixed: ClassVar[Descent] = Descent()
    """Everything about the descent that is no parameter."""

    def walk(self) -> Descent:
        """How the engine walks.

        Raises:
            UserError: for a parameter out of range.
        """
        shared = {field.name for field in fields(self)} & {field.name for field in fields(Descent)}
        return replace(self.fixed, **{name: getattr(self, name) for name in shared})

    def walk_within(self, budget: Budget) -> Descent:
        """See `GradientDefense`."""
        del budget
        return self.walk()
