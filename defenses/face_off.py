"""Face-Off: each photo just nearer to another person than to its user, then the change made larger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bench.protocols import Adam, Descent, Goal, Kit, Penalty, SquaredChange, TanhSpace
from bench.types import Album, Budget, Face, Image, PluginCard

from ._gradients import GradientDefense
from ._people import Margin
from ._ranges import SIZE, Ranges


@dataclass(frozen=True)
class FaceOff(GradientDefense):
    """Bring each photo nearer to another person than to its user with the least change, then amplify that.

    Face-Off (Chandrasekaran et al. 2021). Its distances are those of unit embeddings, at most 2, so the
    margin is a number of that size.

    Attributes:
        steps: Gradient steps.
        rate: The step size of Adam in tanh space.
        margin: How much nearer the other person has to be.
        cost: The weight of the size of the change.
        amplification: What the change is multiplied by in the end, as far as the budget allows.
    """

    steps: int = 100
    rate: float = 0.01
    margin: float = 0.5
    cost: float = 0.002
    amplification: float = 6.0

    card: ClassVar[PluginCard] = PluginCard(
        summary="Face-Off: nearer to another person, then amplified",
        source="Chandrasekaran et al. 2021, Face-Off",
        surrogates=True,
        budgets=("linf", "dssim", "ssim"),
    )
    ranges: ClassVar[Ranges] = {
        "rate": SIZE,
        "margin": SIZE,
        "cost": SIZE,
        "amplification": (1, 100),
    }

    def goal(self) -> Goal:
        """Nearer to one other person."""
        return Margin(self.margin)

    def others(self) -> int:
        """See `GradientDefense`."""
        return 1

    def walk_within(self, budget: Budget) -> Descent:
        """See `GradientDefense`."""
        del budget
        size = Penalty(SquaredChange(), self.cost, power=0.5)
        return Descent(self.steps, start=1, update=TanhSpace(Adam(self.rate)), penalties=(size,))

    def cloak(self, albums: Sequence[Album], kit: Kit) -> list[list[Image | None]]:
        """See `bench.protocols.Defense.cloak`."""
        return [
            [
                None if new is None or face is None else self._amplified(old, new, face, kit)
                for old, new, face in zip(album.photos, cloaked, album.faces, strict=True)
            ]
            for album, cloaked in zip(albums, super().cloak(albums, kit), strict=True)
        ]

    def _amplified(self, old: Image, new: Image, face: Face, kit: Kit) -> Image:
        change = new.astype(np.float32) - old

        def amplified(share: float) -> Image:
            levels = np.clip(old + share * self.amplification * change, 0, 255)
            return np.asarray(levels.round(), np.uint8)

        return kit.engine.strongest(old, face, kit.budget, amplified)


PLUGIN = FaceOff
