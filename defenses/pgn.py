"""Penalised gradient norm: gradients of a flat neighbourhood."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from bench.protocols import Descent
from bench.types import PluginCard

from ._estimates import Flat
from ._transfer import COPIES, TransferAttack


@dataclass(frozen=True)
class PGN(TransferAttack):
    """Look for a flat place: mix the gradients of neighbours with those a step further uphill.

    PGN (Ge et al. 2023).

    Attributes:
        steps: Gradient steps.
        reach: The sum of all steps, in budgets.
        momentum: The decay of the accumulated gradient.
        neighbours: How many neighbours are looked at, twice each.
        radius: How far they lie in every value, in budgets.
        uphill: The step uphill, in budgets of the mean value.
        balance: The share of the gradients uphill.
    """

    neighbours: int = COPIES
    radius: float = 3.0
    uphill: float = 0.1
    balance: float = 0.5

    card: ClassVar[PluginCard] = PluginCard(
        summary="transfer attack: flat neighbourhoods",
        source="Ge et al. 2023, PGN",
        surrogates=True,
    )

    def varied(self, plain: Descent, limit: float) -> Descent:
        """See `TransferAttack`."""
        estimate = Flat(self.radius * limit, self.uphill * limit, self.neighbours, self.balance)
        return replace(plain, estimate=estimate)


PLUGIN = PGN
