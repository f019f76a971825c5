"""Variance tuning: gradients corrected by how they vary nearby."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from bench.protocols import Descent
from bench.types import PluginCard

from ._estimates import Tuned
from ._transfer import COPIES, TransferAttack


@dataclass(frozen=True)
class VMI(TransferAttack):
    """Correct each gradient by how the last neighbours' gradients differed from the last one.

    VMI-FGSM (Wang and He 2021).

    Attributes:
        steps: Gradient steps.
        reach: The sum of all steps, in budgets.
        momentum: The decay of the accumulated gradient.
        neighbours: How many neighbours are looked at.
        radius: How far they lie in every value, in budgets.
    """

    neighbours: int = COPIES
    radius: float = 1.5

    card: ClassVar[PluginCard] = PluginCard(
        summary="transfer attack: gradients corrected by their variance",
        source="Wang and He 2021, VMI-FGSM",
        surrogates=True,
    )

    def varied(self, plain: Descent, limit: float) -> Descent:
        """See `TransferAttack`."""
        return replace(plain, estimate=Tuned(self.radius * limit, self.neighbours))


PLUGIN = VMI
