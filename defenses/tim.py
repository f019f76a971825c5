"""Translation-invariant gradients: smoothed ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.types import PluginCard

from ._transfer import TransferAttack


@dataclass(frozen=True)
class TIM(TransferAttack):
    """Smooth each gradient, as if the face were seen at many places at once.

    TI-FGSM (Dong et al. 2019). Its kernel of 15 pixels has a standard deviation of 14/6.

    Attributes:
        steps: Gradient steps.
        reach: The sum of all steps, in budgets.
        momentum: The decay of the accumulated gradient.
        smoothing: The standard deviation of the gradient's smoothing, in pixels of the photo.
    """

    smoothing: float = 2.33

    card: ClassVar[PluginCard] = PluginCard(
        summary="transfer attack: smoothed gradients",
        source="Dong et al. 2019, TI-FGSM",
        surrogates=True,
    )


PLUGIN = TIM
