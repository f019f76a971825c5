"""Landmark-guided cutout: gradients through faces with holes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from bench.protocols import Descent
from bench.types import PluginCard

from ._transfer import TransferAttack
from ._variations import Holes


@dataclass(frozen=True)
class LGC(TransferAttack):
    """Take each gradient through a face with small holes at its landmarks.

    LGC (Yang et al. 2020). The authors draw four of 51 landmarks. A detector here gives five, so a hole lies
    anywhere on the line between two of them.

    Attributes:
        steps: Gradient steps.
        reach: The sum of all steps, in budgets.
        momentum: The decay of the accumulated gradient.
        holes: How many holes there are.
        side: The side of a hole, as a share of the face's frame; the default is three of 112 pixels.
    """

    steps: int = 20
    reach: float = 1.5
    holes: int = 4
    side: float = 3 / 112

    card: ClassVar[PluginCard] = PluginCard(
        summary="transfer attack: holes at the landmarks",
        source="Yang et al. 2020, LGC",
        surrogates=True,
    )

    def varied(self, plain: Descent, limit: float) -> Descent:
        """See `TransferAttack`."""
        del limit
        return replace(plain, variations=(Holes(self.holes, self.side),))


PLUGIN = LGC
