"""Projected gradient descent away from the clean photo: the baseline of untargeted cloaking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.protocols import Descent, Goal
from bench.types import PluginCard

from ._goals import Apart
from ._optimised import Optimised


@dataclass(frozen=True)
class PGD(Optimised):
    """Push each photo away from its own clean embedding, blind to the user's other photos.

    Madry et al. 2018 (projected sign steps from a random start), with the momentum of Dong et al. 2018
    where it is above 0.

    Attributes:
        steps: Gradient steps.
        reach: The sum of all steps, in budgets.
        momentum: The decay of the accumulated gradient.
    """

    momentum: float = 0.0

    card: ClassVar[PluginCard] = PluginCard(
        summary="each photo away from its own clean embedding",
        source="Madry et al. 2018, PGD; Dong et al. 2018 for momentum",
        surrogates=True,
    )
    # the gradient of a similarity with oneself is zero at the clean photo: start elsewhere
    fixed: ClassVar[Descent] = Descent(random_start=True)

    def goal(self) -> Goal:
        """Each photo alone."""
        return Apart()


PLUGIN = PGD
