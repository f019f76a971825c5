"""Protego: one mask a person, under which the person's photos point in all directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.protocols import Descent, Dssim, Goal, Penalty
from bench.types import Budget, PluginCard

from ._gradients import GradientDefense
from ._people import Volume
from ._ranges import SIZE, Ranges


@dataclass(frozen=True)
class Protego(GradientDefense):
    """Learn one mask that enlarges the volume of a user's embeddings, with a penalty on SSIM.

    Protego (Wang et al. 2025). The authors lay the mask onto a model of the face; here it lies in
    the frame of the aligned face, and the alignment of each gradient is shaken.

    Attributes:
        learn: How many of a user's photos the mask is learned on, first by digest.
        steps: Gradient steps.
        reach: The sum of all steps, in budgets.
        ssim: Down to which SSIM nothing is added to the loss.
        penalty: The weight of what is missing at first; it is doubled and halved.
        jitter: How far each gradient's alignment is shaken.
    """

    learn: int = 6
    steps: int = 100
    reach: float = 1.0
    ssim: float = 0.95
    penalty: float = 1.0
    jitter: float = 1.0

    card: ClassVar[PluginCard] = PluginCard(
        summary="Protego: one mask a user, photos in all directions",
        source="Wang et al. 2025, Protego",
        surrogates=True,
    )
    ranges: ClassVar[Ranges] = {"reach": SIZE, "ssim": (0, 1), "penalty": SIZE}

    def goal(self) -> Goal:
        """The volume of a user's embeddings."""
        return Volume()

    def walk_within(self, budget: Budget) -> Descent:
        """See `GradientDefense`."""
        del budget
        # DSSIM is half of what SSIM lacks; the weight moves beyond 1 % of SSIM, a fifth of what it may lack
        allowed = (1 - self.ssim) / 2
        penalty = Penalty(Dssim(), 2 * self.penalty, beyond=allowed, adapt=2, slack=0.2)
        return Descent(
            self.steps,
            self.reach,
            momentum=0.0,
            random_start=True,
            jitter=self.jitter,
            penalties=(penalty,),
        )

    def learned_on(self) -> int | None:
        """See `GradientDefense`."""
        return self.learn


PLUGIN = Protego
