"""Deformation-constrained warping: gradients through warps that give way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from bench.protocols import Descent
from bench.types import PluginCard

from ._estimates import Yielding
from ._transfer import COPIES, TransferAttack


@dataclass(frozen=True)
class DeCowA(TransferAttack):
    """Average gradients through warps of the face, each of which first gives way to the loss.

    DeCowA (Lin et al. 2024).

    Attributes:
        steps: Gradient steps.
        reach: The sum of all steps, in budgets.
        momentum: The decay of the accumulated gradient.
        warps: How many gradients are averaged; each costs two passes.
        strength: How far the middle of the face moves at most, in half sides of its box.
        give: How far a warp gives way, per unit of its gradient.
    """

    warps: int = COPIES
    strength: float = 1.0
    give: float = 0.01

    card: ClassVar[PluginCard] = PluginCard(
        summary="transfer attack: warps that give way to the loss",
        source="Lin et al. 2024, DeCowA",
        surrogates=True,
    )

    def varied(self, plain: Descent, limit: float) -> Descent:
        """See `TransferAttack`."""
        del limit
        return replace(plain, estimate=Yielding(self.warps, self.strength, self.give))


PLUGIN = DeCowA
