"""Projected gradient descent away from the clean photo: the baseline of untargeted cloaking."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from bench.errors import UserError
from bench.protocols import Descent, Goal
from bench.types import PluginCard

from ._goals import Apart
from ._optimised import DIVERSE, Optimised


@dataclass(frozen=True)
class PGD(Optimised):
    """Push each photo away from its own clean embedding, blind to the user's other photos.

    Madry et al. 2018 (projected sign steps from a random start), with the momentum of Dong et al. 2018
    where it is above 0. This goal is one thing and the way towards it is another: with `descent=diverse` it
    is walked towards exactly as `advmask` walks towards its own, so that the two differ in their goals only.

    Attributes:
        steps: Gradient steps.
        reach: The sum of all steps, in budgets.
        momentum: The decay of the accumulated gradient; 0 takes the descent's own.
        descent: `plain`, or `diverse`: with the shaken alignments, smoothed gradients and momentum of
            `advmask`.
    """

    momentum: float = 0.0
    descent: str = "plain"

    card: ClassVar[PluginCard] = PluginCard(
        summary="each photo away from its own clean embedding",
        source="Madry et al. 2018, PGD; Dong et al. 2018 for momentum",
        surrogates=True,
    )
    # the gradient of a similarity with oneself is zero at the clean photo: start elsewhere
    fixed: ClassVar[Descent] = Descent(random_start=True)

    def walk(self) -> Descent:
        """Plain, or as `advmask` walks.

        Raises:
            UserError: for a descent of another name.
        """
        if self.descent == "plain":
            return super().walk()
        if self.descent != "diverse":
            raise UserError(f"parameter descent={self.descent} is unknown; it takes plain or diverse.")
        # a shaken alignment has a gradient at the clean photo, too: no random start
        momentum = self.momentum or DIVERSE.momentum
        return replace(DIVERSE, steps=self.steps, reach=self.reach, momentum=momentum)

    def goal(self) -> Goal:
        """Each photo alone."""
        return Apart()


PLUGIN = PGD
