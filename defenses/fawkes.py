"""Fawkes: each photo away from itself, under a likeness that it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.errors import UserError
from bench.protocols import Descent, Dssim, Goal, Penalty, TanhSpace
from bench.types import Budget, PluginCard

from ._goals import Apart
from ._gradients import GradientDefense
from ._ranges import SIZE, Ranges
from ._updates import Adadelta

MODES = {"low": (40, 25.0), "mid": (75, 20.0), "high": (150, 15.0)}
"""Mode -> steps and rate. The authors' budgets are dssim:0.004, dssim:0.012 and dssim:0.017."""


@dataclass(frozen=True)
class Fawkes(GradientDefense):
    """Lower each photo's similarity to itself, with a penalty on what DSSIM exceeds the budget by.

    Fawkes 1.0 (Shan et al. 2020), as its program is run: away from the own photo, not towards a target.
    Adadelta moves tanh(w).

    Attributes:
        mode: `low`, `mid` or `high`: steps and rate.
        steps: Gradient steps; those of the mode when it is 0.
        rate: What a step is multiplied by; that of the mode when it is 0.
        penalty: The weight of the squared excess.
    """

    mode: str = "mid"
    steps: int = 0
    rate: float = 0.0
    penalty: float = 1e7

    card: ClassVar[PluginCard] = PluginCard(
        summary="Fawkes: away from the own photo, within DSSIM",
        source="Shan et al. 2020, Fawkes",
        surrogates=True,
        budgets=("dssim",),
    )
    ranges: ClassVar[Ranges] = {"rate": SIZE, "penalty": SIZE}

    def goal(self) -> Goal:
        """Each photo alone."""
        return Apart()

    def walk_within(self, budget: Budget) -> Descent:
        """See `GradientDefense`."""
        if self.mode not in MODES:
            raise UserError(f"parameter mode={self.mode} is unknown; it takes low, mid or high.")
        steps, rate = MODES[self.mode]
        # half the authors' weight: their distance is squared, and falls twice as fast as the cosine
        penalty = Penalty(Dssim(), self.penalty / 2, beyond=budget.value, power=2, adapt=2)
        return Descent(
            self.steps or steps,
            start=1,
            update=TanhSpace(Adadelta(self.rate or rate)),
            penalties=(penalty,),
        )


PLUGIN = Fawkes
