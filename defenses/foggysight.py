"""FoggySight: each photo a decoy for somebody else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.protocols import Adam, Descent, Goal, Penalty, SquaredChange
from bench.types import Budget, PluginCard

from ._estimates import Clipped
from ._gradients import GradientDefense
from ._people import Towards
from ._ranges import SHARE, SIZE, Ranges
from ._variations import Cropped


@dataclass(frozen=True)
class FoggySight(GradientDefense):
    """Bring each photo near another person, in other lights, cropped and noisy.

    FoggySight (Evtimov et al. 2021). There the members of a community make decoys for one another. Here the
    other people are those of the reference album: what is measured is what it does for whoever cloaks. The
    authors take up to 2,000 steps.

    Attributes:
        steps: Gradient steps.
        rate: The step size of Adam, in levels.
        light: The largest change of all values together, in levels.
        noise: The standard deviation of the noise, in levels.
        crop: The side of what is seen, as a share of the face's frame.
        cost: The weight of the squared change.
    """

    steps: int = 200
    rate: float = 0.6
    light: float = 30.0
    noise: float = 45.0
    crop: float = 150 / 160
    cost: float = 1e-6

    card: ClassVar[PluginCard] = PluginCard(
        summary="FoggySight: each photo a decoy for another person",
        source="Evtimov et al. 2021, FoggySight",
        surrogates=True,
    )
    ranges: ClassVar[Ranges] = {"rate": SIZE, "light": SIZE, "noise": SIZE, "crop": SHARE, "cost": SIZE}

    def goal(self) -> Goal:
        """Each photo towards another person of its own."""
        return Towards()

    def others(self) -> int:
        """See `GradientDefense`."""
        return 1

    def walk_within(self, budget: Budget) -> Descent:
        """See `GradientDefense`."""
        return Descent(
            self.steps,
            start=1,
            update=Adam(self.rate),
            variations=(Cropped(self.crop),),
            penalties=(Penalty(SquaredChange(), self.cost),),
            estimate=Clipped(budget.value, self.light, self.noise),
        )


PLUGIN = FoggySight
