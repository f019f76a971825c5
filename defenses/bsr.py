"""Block shuffle and rotation: gradients through faces in pieces."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from bench.protocols import Descent
from bench.types import PluginCard

from ._transfer import COPIES, TransferAttack
from ._variations import TurnedBlocks


@dataclass(frozen=True)
class BSR(TransferAttack):
    """Average gradients through faces whose blocks are shuffled and turned a little.

    BSR (Wang et al. 2024).

    Attributes:
        steps: Gradient steps.
        reach: The sum of all steps, in budgets.
        momentum: The decay of the accumulated gradient.
        copies: How many gradients are averaged.
        blocks: How many blocks there are along each side.
        turn: The standard deviation of a block's angle, in radians; none is above twice that.
    """

    copies: int = COPIES
    blocks: int = 2
    turn: float = 0.2

    card: ClassVar[PluginCard] = PluginCard(
        summary="transfer attack: blocks shuffled and turned",
        source="Wang et al. 2024, BSR",
        surrogates=True,
    )

    def varied(self, plain: Descent, limit: float) -> Descent:
        """See `TransferAttack`."""
        del limit
        return replace(plain, variations=(TurnedBlocks(self.blocks, self.turn),))


PLUGIN = BSR
