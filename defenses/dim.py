"""Diverse inputs: gradients through faces of random size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from bench.protocols import Descent, Sizes
from bench.types import PluginCard

from ._transfer import TransferAttack


@dataclass(frozen=True)
class DIM(TransferAttack):
    """Take each gradient through the face at a smaller size, somewhere in its frame, half of the time.

    DI-FGSM (Xie et al. 2019).

    Attributes:
        steps: Gradient steps.
        reach: The sum of all steps, in budgets.
        momentum: The decay of the accumulated gradient.
        largest: The frame is up to this many times the face's size.
        share: How often the face is smaller, in [0, 1].
    """

    largest: float = 1.1
    share: float = 0.5

    card: ClassVar[PluginCard] = PluginCard(
        summary="transfer attack: faces of random size",
        source="Xie et al. 2019, DI-FGSM",
        surrogates=True,
    )

    def varied(self, plain: Descent, limit: float) -> Descent:
        """See `TransferAttack`."""
        del limit
        return replace(plain, variations=(Sizes(self.largest, self.share),))


PLUGIN = DIM
