"""Admixed faces: gradients through a little of somebody else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from bench.protocols import Descent
from bench.types import PluginCard

from ._transfer import TransferAttack
from ._variations import Mixed


@dataclass(frozen=True)
class Admix(TransferAttack):
    """Average gradients through the face with a little of another person's, at several brightnesses.

    Admix (Wang et al. 2021). The other faces are those of the reference people.

    Attributes:
        steps: Gradient steps.
        reach: The sum of all steps, in budgets.
        momentum: The decay of the accumulated gradient.
        mixes: How many other faces there are for each brightness.
        scales: How many brightnesses there are, each half of the one before.
        strength: How much of the other face is added.
    """

    mixes: int = 3
    scales: int = 5
    strength: float = 0.2

    card: ClassVar[PluginCard] = PluginCard(
        summary="transfer attack: a little of other faces mixed in",
        source="Wang et al. 2021, Admix",
        surrogates=True,
    )

    def varied(self, plain: Descent, limit: float) -> Descent:
        """See `TransferAttack`."""
        del limit
        mixed = Mixed(self.strength, self.scales)
        return replace(plain, copies=self.mixes * self.scales, variations=(mixed,))


PLUGIN = Admix
