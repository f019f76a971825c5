"""One mask a user, learned on some photos and laid onto all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bench.errors import UserError
from bench.protocols import Descent, Kit
from bench.types import Album, Budget, Image, PluginCard

from ._checks import bounded
from ._goals import Dispersed


@dataclass(frozen=True)
class AdvMaskUniversal:
    """A user's one mask, in the frame of the aligned face, that scatters whatever photo it is laid onto.

    Our operationalisation of the idea in the abstract of arXiv 2010.10242, with the goal of `advmask`; one
    mask a person is also the setting of OPOM (Zhong & Deng 2022). Photos that the mask was not learned on
    get it without any gradient.

    Attributes:
        learn: how many of a user's photos the mask is learned on, first by digest.
        steps: gradient steps.
        reach: the sum of all steps, in budgets.
        momentum: decay of the accumulated gradient.
        margin: as for `advmask`.
        far: as for `advmask`.
        spread: as for `advmask`.
        pull: as for `advmask`.
        jitter: how far each gradient's alignment is shaken.
    """

    learn: int = 6
    steps: int = 40
    reach: float = 5.0
    momentum: float = 1.0
    margin: float = 0.1
    far: float = 1e-3
    spread: float = 2.0
    pull: float = 0.0
    jitter: float = 1.0

    card: ClassVar[PluginCard] = PluginCard(
        summary="one mask a user, laid onto photos it never saw",
        source="own operationalisation of the abstract of arXiv 2010.10242",
        surrogates=True,
    )

    def check(self, budget: Budget) -> None:
        """See `bench.protocols.Defense`."""
        bounded("advmask-universal", budget)
        if self.learn < 1:
            raise UserError(
                f"defense 'advmask-universal': learn {self.learn} must be at least 1. Try learn=6."
            )
        self._goal().check()
        self._descent().check()

    def cloak(self, albums: Sequence[Album], kit: Kit) -> list[list[Image | None]]:
        """See `bench.protocols.Defense.cloak`."""
        return kit.engine.cloak_universal(albums, kit, self._goal(), self._descent(), learn=self.learn)

    def _goal(self) -> Dispersed:
        return Dispersed(self.margin, self.far, self.spread, self.pull)

    def _descent(self) -> Descent:
        return Descent(steps=self.steps, reach=self.reach, momentum=self.momentum, jitter=self.jitter)


PLUGIN = AdvMaskUniversal
