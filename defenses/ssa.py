"""Spectrum simulation: gradients through faces with other frequencies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from bench.protocols import Descent
from bench.types import PluginCard

from ._transfer import COPIES, TransferAttack
from ._variations import Spectrum


@dataclass(frozen=True)
class SSA(TransferAttack):
    """Average gradients at faces with noise and with a random gain of every frequency.

    SSA (Long et al. 2022). The gradient is the one towards the changed face, as in the authors' program.

    Attributes:
        steps: Gradient steps.
        reach: The sum of all steps, in budgets.
        momentum: The decay of the accumulated gradient.
        spectra: How many gradients are averaged.
        noise: The standard deviation of the noise, in budgets.
        gain: How far the gain of a frequency is from one, at most.
    """

    spectra: int = COPIES
    noise: float = 1.0
    gain: float = 0.5

    card: ClassVar[PluginCard] = PluginCard(
        summary="transfer attack: random gains of frequencies",
        source="Long et al. 2022, SSA",
        surrogates=True,
    )

    def varied(self, plain: Descent, limit: float) -> Descent:
        """See `TransferAttack`."""
        spectrum = Spectrum(self.noise * limit / 255, self.gain)
        return replace(plain, copies=self.spectra, variations=(spectrum,))


PLUGIN = SSA
