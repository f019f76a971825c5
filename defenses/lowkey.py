"""LowKey: each photo and its blurred twin away from the clean photo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from bench.errors import UserError
from bench.protocols import Blur, Descent, Goal, Lpips, MsSsim, Penalty
from bench.types import Budget, PluginCard

from ._goals import Apart
from ._gradients import GradientDefense
from ._ranges import SIZE, Ranges

Likeness = Literal["ms-ssim", "lpips"]


@dataclass(frozen=True)
class LowKey(GradientDefense):
    """Lower the similarity of each photo and of its blurred twin to the clean photo, and keep it alike.

    LowKey (Cherepanova et al. 2021). The authors' penalty is LPIPS, whose weights are not part of this
    project; without them it is 1 - MS-SSIM.

    Attributes:
        steps: Gradient steps.
        reach: The sum of all steps, in budgets.
        sigma: The standard deviation of the blur, in pixels of the photo.
        penalty: The weight of what the face lacks of likeness.
        likeness: `ms-ssim`, or `lpips`, which needs its file of weights.
    """

    steps: int = 50
    reach: float = 2.5
    sigma: float = 3.0
    penalty: float = 12.8
    likeness: str = "ms-ssim"

    card: ClassVar[PluginCard] = PluginCard(
        summary="LowKey: away from the own photo, plain and blurred",
        source="Cherepanova et al. 2021, LowKey",
        surrogates=True,
    )
    ranges: ClassVar[Ranges] = {"penalty": SIZE, "sigma": (0.1, 100)}

    def goal(self) -> Goal:
        """Each photo alone."""
        return Apart()

    def needs_lpips(self) -> bool:
        """See `bench.protocols.Defense`."""
        return self.likeness == "lpips"

    def walk_within(self, budget: Budget) -> Descent:
        """See `GradientDefense`."""
        del budget
        if self.likeness not in get_args(Likeness):
            raise UserError(
                f"defense 'lowkey' has no likeness {self.likeness!r}. Try lowkey:likeness=ms-ssim or "
                "likeness=lpips."
            )
        measure = Lpips() if self.needs_lpips() else MsSsim()
        return Descent(
            self.steps,
            self.reach,
            momentum=0.0,
            start=1,
            copies=2,
            variations=(Blur(self.sigma, every=2),),
            penalties=(Penalty(measure, self.penalty),),
        )


PLUGIN = LowKey
