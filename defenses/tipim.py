"""TIP-IM: each photo towards whichever of several people is nearest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.protocols import Descent, Goal
from bench.types import Budget, PluginCard

from ._gradients import GradientDefense
from ._people import NearestTarget
from ._ranges import COUNT, SHARE, SIZE, Ranges
from ._updates import Straight
from ._variations import Affine


@dataclass(frozen=True)
class TIPIM(GradientDefense):
    """Bring each photo near whichever of several other people is nearest by now, and away from itself.

    TIP-IM (Yang et al. 2021), with its default of no naturalness term. The authors try a step towards every
    target and keep the best one; here the step is taken towards the target that is nearest before it.

    Attributes:
        steps: Gradient steps.
        reach: The sum of the steps' root mean squares, in budgets.
        momentum: The decay of the accumulated gradient.
        targets: How many people there are to choose from.
        spread: The largest standard deviation of the affine map that each gradient is taken through.
    """

    steps: int = 100
    reach: float = 1.5
    momentum: float = 1.0
    targets: int = 10
    spread: float = 0.1

    card: ClassVar[PluginCard] = PluginCard(
        summary="TIP-IM: towards the nearest of several other people",
        source="Yang et al. 2021, TIP-IM",
        surrogates=True,
    )
    ranges: ClassVar[Ranges] = {"reach": SIZE, "momentum": SHARE, "targets": COUNT, "spread": (0.01, 1)}

    def goal(self) -> Goal:
        """Towards one of several other people."""
        return NearestTarget(self.targets)

    def others(self) -> int:
        """See `GradientDefense`."""
        return self.targets

    def walk_within(self, budget: Budget) -> Descent:
        """See `GradientDefense`."""
        del budget
        update = Straight(self.reach, self.momentum)
        return Descent(self.steps, update=update, variations=(Affine(0.01, self.spread),))


PLUGIN = TIPIM
