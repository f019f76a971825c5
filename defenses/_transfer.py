"""What the transfer attacks share: goal, steps and start. Private to this folder.

They were written against classifiers. Here each lowers the similarity of a photo to its own clean embedding.
That similarity has no gradient at the clean photo itself, so the descent starts anywhere in the budget, where
the authors' programs start at the photo.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.protocols import Descent, Goal
from bench.types import Budget

from ._goals import Apart
from ._optimised import Optimised
from ._ranges import COUNT, SHARE, SIZE, Ranges

COPIES = 20
"""How many gradients a step most of the attacks average."""


@dataclass(frozen=True)
class TransferAttack(Optimised):
    """Momentum-iterative sign steps, with something that keeps a gradient from fitting one network only.

    Attributes:
        steps: Gradient steps.
        reach: The sum of all steps, in budgets.
        momentum: The decay of the accumulated gradient.
    """

    steps: int = 10
    reach: float = 1.0
    momentum: float = 1.0

    fixed: ClassVar[Descent] = Descent(random_start=True)
    ranges: ClassVar[Ranges] = {
        "balance": SHARE,
        "blocks": COUNT,
        "copies": COUNT,
        "gain": SHARE,
        "give": SIZE,
        "holes": COUNT,
        "largest": COUNT,
        "mixes": COUNT,
        "neighbours": COUNT,
        "noise": SIZE,
        "radius": SIZE,
        "scales": COUNT,
        "share": SHARE,
        "side": SHARE,
        "smoothing": SIZE,
        "spectra": COUNT,
        "strength": SIZE,
        "turn": SIZE,
        "uphill": SIZE,
        "warps": COUNT,
    }
    """Of all that the attacks have, under one name in whichever of them."""

    def goal(self) -> Goal:
        """Each photo alone."""
        return Apart()

    def walk_within(self, budget: Budget) -> Descent:
        """See `GradientDefense`."""
        return self.varied(self.walk(), budget.value)

    def varied(self, plain: Descent, limit: float) -> Descent:
        """The descent with what this attack adds to it.

        Args:
            plain: Steps, reach, momentum and start.
            limit: The L-infinity budget in levels.
        """
        del limit
        return plain
