"""Projected gradient descent away from the clean photo: the baseline of untargeted cloaking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bench.protocols import Descent, Kit
from bench.types import Album, Budget, Image, PluginCard

from ._checks import bounded
from ._goals import Apart


@dataclass(frozen=True)
class PGD:
    """Push each photo away from its own clean embedding, blind to the user's other photos.

    Madry et al. 2018 (projected sign steps from a random start), with the momentum of Dong et al. 2018
    where it is above 0.

    Attributes:
        steps: gradient steps.
        reach: the sum of all steps, in budgets.
        momentum: decay of the accumulated gradient.
    """

    steps: int = 20
    reach: float = 2.5
    momentum: float = 0.0

    card: ClassVar[PluginCard] = PluginCard(
        summary="each photo away from its own clean embedding",
        source="Madry et al. 2018, PGD; Dong et al. 2018 for momentum",
        surrogates=True,
    )

    def check(self, budget: Budget) -> None:
        """See `bench.protocols.Defense`."""
        bounded("pgd", budget)
        self._descent().check()

    def cloak(self, albums: Sequence[Album], kit: Kit) -> list[list[Image | None]]:
        """See `bench.protocols.Defense.cloak`."""
        return kit.engine.cloak(albums, kit, Apart(), self._descent())

    def _descent(self) -> Descent:
        # the gradient of a similarity with oneself is zero at the clean photo: start elsewhere
        return Descent(steps=self.steps, reach=self.reach, momentum=self.momentum, random_start=True)


PLUGIN = PGD
