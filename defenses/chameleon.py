"""Chameleon: one mask a person, away from the person's photos, within a likeness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.protocols import Descent, Dssim, Goal, Penalty
from bench.types import Budget, PluginCard

from ._gradients import GradientDefense
from ._people import Angle
from ._ranges import SIZE, Ranges


@dataclass(frozen=True)
class Chameleon(GradientDefense):
    """Learn one mask that enlarges the angle between each photo and itself, with a penalty on DSSIM.

    Chameleon (Chow et al. 2024). The authors scale photos up and down again inside the gradient; here each
    gradient is taken through an alignment of its own.

    Attributes:
        learn: How many of a user's photos the mask is learned on, first by digest.
        steps: Gradient steps; the authors take fifty epochs of two batches.
        reach: The sum of all steps, in budgets.
        dssim: Up to which DSSIM nothing is added to the loss.
        penalty: The weight of what exceeds it at first; it is doubled and halved.
        jitter: How far each gradient's alignment is shaken.
    """

    learn: int = 7
    steps: int = 100
    reach: float = 1.6
    dssim: float = 0.03
    penalty: float = 1.0
    jitter: float = 1.0

    card: ClassVar[PluginCard] = PluginCard(
        summary="Chameleon: one mask a user, by angle, within DSSIM",
        source="Chow et al. 2024, Chameleon",
        surrogates=True,
    )
    ranges: ClassVar[Ranges] = {"reach": SIZE, "dssim": (0, 0.5), "penalty": SIZE}

    def goal(self) -> Goal:
        """The angle between each photo and itself."""
        return Angle()

    def walk_within(self, budget: Budget) -> Descent:
        """See `GradientDefense`."""
        del budget
        penalty = Penalty(Dssim(), self.penalty, beyond=self.dssim, adapt=2)
        return Descent(self.steps, self.reach, momentum=0.0, jitter=self.jitter, penalties=(penalty,))

    def learned_on(self) -> int | None:
        """See `GradientDefense`."""
        return self.learn


PLUGIN = Chameleon
