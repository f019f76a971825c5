"""Momentum-iterative sign steps: the plain attack that all other transfer attacks build on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.types import PluginCard

from ._transfer import TransferAttack


@dataclass(frozen=True)
class MIFGSM(TransferAttack):
    """Accumulate gradients, and step along the sign of the sum.

    MI-FGSM (Dong et al. 2018).

    Attributes:
        steps: Gradient steps.
        reach: The sum of all steps, in budgets.
        momentum: The decay of the accumulated gradient.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="transfer attack: momentum",
        source="Dong et al. 2018, MI-FGSM",
        surrogates=True,
    )


PLUGIN = MIFGSM
