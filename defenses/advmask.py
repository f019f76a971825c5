"""A mask for each photo, optimised over all of a user's photos together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bench.protocols import Descent, Kit
from bench.types import Album, Budget, Image, PluginCard

from ._checks import bounded
from ._goals import Dispersed


@dataclass(frozen=True)
class AdvMask:
    """Make a user's photos look neither like the user nor like one another.

    Our operationalisation of the idea in the abstract of arXiv 2010.10242 (masked photos of a user do
    not form clusters); the paper's own procedure was not available to us. The steps are MI-FGSM's (Dong
    et al. 2018).

    Attributes:
        steps: gradient steps.
        reach: the sum of all steps, in budgets.
        momentum: decay of the accumulated gradient.
        margin: how far below the level of strangers every similarity must fall before a photo may stop.
        far: share of pairs of strangers that are more alike than that level.
        spread: weight of being unlike the user's other cloaked photos.
        pull: weight of a stranger's embedding, another one for each photo.
        jitter: how far each gradient's alignment is shaken.
        smoothing: of the gradient, standard deviation in pixels.
        jpeg: lowest JPEG quality that gradients are taken through; 0 is none.
    """

    steps: int = 20
    reach: float = 2.5
    momentum: float = 1.0
    margin: float = 0.1
    far: float = 1e-3
    spread: float = 2.0
    pull: float = 0.3
    jitter: float = 1.0
    smoothing: float = 1.0
    jpeg: int = 0

    card: ClassVar[PluginCard] = PluginCard(
        summary="per-photo masks that scatter a user's photos",
        source="own operationalisation of the abstract of arXiv 2010.10242",
        surrogates=True,
    )

    def check(self, budget: Budget) -> None:
        """See `bench.protocols.Defense`."""
        bounded("advmask", budget)
        self._goal().check()
        self._descent().check()

    def cloak(self, albums: Sequence[Album], kit: Kit) -> list[list[Image | None]]:
        """See `bench.protocols.Defense.cloak`."""
        return kit.engine.cloak(albums, kit, self._goal(), self._descent())

    def _goal(self) -> Dispersed:
        return Dispersed(self.margin, self.far, self.spread, self.pull)

    def _descent(self) -> Descent:
        return Descent(
            steps=self.steps,
            reach=self.reach,
            momentum=self.momentum,
            jitter=self.jitter,
            smoothing=self.smoothing,
            jpeg=self.jpeg,
        )


PLUGIN = AdvMask
