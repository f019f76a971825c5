"""FaceCloak: one mask a person, between the nearest and the farthest of other people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.protocols import Descent, Goal
from bench.types import Budget, PluginCard

from ._gradients import GradientDefense
from ._people import BetweenPeople
from ._ranges import SIZE, Ranges


@dataclass(frozen=True)
class FaceCloak(GradientDefense):
    """Learn one mask that takes photos away from the nearest other person, and towards the farthest.

    FaceCloak (Yahn et al. 2026). The authors learn the mask on synthetic photos of the user, and
    add stickers that take no part in the gradient; here it is learned on real photos, without stickers.

    Attributes:
        learn: How many of a user's photos the mask is learned on, first by digest.
        steps: Gradient steps; the authors take ten rounds over nine photos, a step after each.
        reach: The sum of all steps, in budgets.
        jitter: How far each gradient's alignment is shaken.
    """

    learn: int = 8
    steps: int = 90
    reach: float = 22.5
    jitter: float = 0.0

    card: ClassVar[PluginCard] = PluginCard(
        summary="FaceCloak: one mask a user, between other people",
        source="Yahn et al. 2026, FaceCloak",
        surrogates=True,
    )
    ranges: ClassVar[Ranges] = {"reach": SIZE}

    def goal(self) -> Goal:
        """Between two other people."""
        return BetweenPeople()

    def others(self) -> int:
        """See `GradientDefense`."""
        return 2

    def walk_within(self, budget: Budget) -> Descent:
        """See `GradientDefense`."""
        del budget
        return Descent(self.steps, self.reach, momentum=0.0, jitter=self.jitter)

    def learned_on(self) -> int | None:
        """See `GradientDefense`."""
        return self.learn


PLUGIN = FaceCloak
