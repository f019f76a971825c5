"""One mask a user, learned on some photos and laid onto all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.protocols import Goal
from bench.types import PluginCard

from ._goals import Dispersed
from ._optimised import DIVERSE, Optimised


@dataclass(frozen=True)
class AdvMaskUniversal(Optimised):
    """A user's one mask, in the frame of the aligned face, that scatters whatever photo it is laid onto.

    Our operationalisation of the idea in the abstract of arXiv 2010.10242, with the goal of `advmask`; one
    mask a person is also the setting of OPOM (Zhong & Deng 2022). Photos that the mask was not learned on
    get it without any gradient.

    Attributes:
        learn: How many of a user's photos the mask is learned on, first by digest.
        steps: Gradient steps.
        reach: The sum of all steps, in budgets.
        momentum: The decay of the accumulated gradient.
        margin: How far below the level of strangers every similarity must fall before a user's photos may
            stop.
        far: The share of pairs of strangers that are more alike than that level.
        spread: The weight of being unlike the user's other cloaked photos.
        pull: The weight of a stranger's embedding, another one for each photo.
        jitter: How far each gradient's alignment is shaken.
    """

    learn: int = 6
    steps: int = 40
    reach: float = 5.0
    margin: float = 0.1
    far: float = 1e-3
    spread: float = 2.0
    pull: float = 0.0
    jitter: float = DIVERSE.jitter

    card: ClassVar[PluginCard] = PluginCard(
        summary="one mask a user, laid onto photos it never saw",
        source="own operationalisation of the abstract of arXiv 2010.10242",
        surrogates=True,
    )

    def goal(self) -> Goal:
        """All photos of a user together."""
        return Dispersed(self.margin, self.far, self.spread, self.pull)

    def learned_on(self) -> int | None:
        """See `Optimised`."""
        return self.learn


PLUGIN = AdvMaskUniversal
