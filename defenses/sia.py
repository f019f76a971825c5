"""Structure-invariant attack: gradients through blocks that are changed one by one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from bench.protocols import Descent
from bench.types import PluginCard

from ._transfer import COPIES, TransferAttack
from ._variations import Mosaic


@dataclass(frozen=True)
class SIA(TransferAttack):
    """Average gradients through faces of nine blocks, each rolled, flipped, turned, darker or noisy.

    SIA (Wang et al. 2023).

    Attributes:
        steps: Gradient steps.
        reach: The sum of all steps, in budgets.
        momentum: The decay of the accumulated gradient.
        copies: How many gradients are averaged.
        noise: The largest change of a value in a noisy block, in budgets.
    """

    copies: int = COPIES
    noise: float = 1.0

    card: ClassVar[PluginCard] = PluginCard(
        summary="transfer attack: each block of the face changed alone",
        source="Wang et al. 2023, SIA",
        surrogates=True,
    )

    def varied(self, plain: Descent, limit: float) -> Descent:
        """See `TransferAttack`."""
        return replace(plain, variations=(Mosaic(self.noise * limit / 255),))


PLUGIN = SIA
