"""A mask for each photo, optimised over all of a user's photos together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

from bench.protocols import Blur, Descent, Goal
from bench.types import PluginCard

from ._goals import Dispersed
from ._optimised import DIVERSE, Optimised
from ._ranges import Ranges


@dataclass(frozen=True)
class AdvMask(Optimised):
    """Make a user's photos look neither like the user nor like one another.

    Our operationalisation of the idea in the abstract of arXiv 2010.10242 (masked photos of a user do
    not form clusters); the paper's own procedure was not available to us. The steps are MI-FGSM's (Dong
    et al. 2018).

    Attributes:
        steps: Gradient steps.
        reach: The sum of all steps, in budgets.
        momentum: The decay of the accumulated gradient.
        margin: How far below the level of strangers every similarity must fall before a photo may stop.
        far: The share of pairs of strangers that are more alike than that level.
        spread: The weight of being unlike the user's other cloaked photos.
        pull: The weight of a stranger's embedding, another one for each photo.
        jitter: How far each gradient's alignment is shaken.
        smoothing: The standard deviation of the gradient's smoothing, in pixels.
        jpeg: The lowest JPEG quality that gradients are taken through; 0 is none.
        twin: The standard deviation in pixels of a blurred twin of each photo, through which every second
            gradient is taken (Cherepanova et al. 2021); 0 is none.
        hardened: The radius against which a copy of each surrogate is hardened, which is a surrogate, too
            (`bench.protocols.Descent`); 0 is none.
    """

    margin: float = 0.1
    far: float = 1e-3
    spread: float = 2.0
    pull: float = 0.3
    jitter: float = DIVERSE.jitter
    smoothing: float = DIVERSE.smoothing
    jpeg: int = 0
    twin: float = field(default=0.0, metadata={"later": True})
    hardened: float = field(default=0.0, metadata={"later": True})

    card: ClassVar[PluginCard] = PluginCard(
        summary="per-photo masks that scatter a user's photos",
        source="own operationalisation of the abstract of arXiv 2010.10242",
        surrogates=True,
    )

    ranges: ClassVar[Ranges] = {"twin": (0, 100)}

    def goal(self) -> Goal:
        """All photos of a user together."""
        return Dispersed(self.margin, self.far, self.spread, self.pull)

    def walk(self) -> Descent:
        """See `Optimised`."""
        plain = super().walk()
        if not self.twin:
            return plain
        return replace(plain, copies=2, variations=(Blur(self.twin, every=2),))


PLUGIN = AdvMask
