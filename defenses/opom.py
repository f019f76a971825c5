"""OPOM: one mask a person, away from the hull of that person's photos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from bench.errors import UserError
from bench.protocols import Descent, Goal
from bench.types import Budget, PluginCard

from ._gradients import GradientDefense
from ._people import Hull, OutOfHull
from ._ranges import SHARE, SIZE, Ranges


@dataclass(frozen=True)
class OPOM(GradientDefense):
    """Learn one mask that takes a user's photos away from all combinations of the user's clean photos.

    OPOM (Zhong and Deng 2022), with the dropout of DFANet (Zhong and Deng 2020) and momentum. The mask
    starts at random: without a mask a photo has no slope away from a hull that it is part of.

    Attributes:
        hull: What the photos are taken away from: `centre`, `affine` or `convex`.
        learn: How many of a user's photos the mask is learned on, first by digest.
        steps: Gradient steps.
        reach: The sum of all steps, in budgets.
        momentum: The decay of the accumulated gradient.
        dropout: The share of values behind each convolution that each gradient goes without.
    """

    hull: str = "convex"
    learn: int = 10
    steps: int = 100
    reach: float = 12.5
    momentum: float = 1.0
    dropout: float = 0.1

    card: ClassVar[PluginCard] = PluginCard(
        summary="OPOM: one mask a user, away from the hull of the user's photos",
        source="Zhong and Deng 2022, OPOM",
        surrogates=True,
    )
    ranges: ClassVar[Ranges] = {"reach": SIZE, "momentum": SHARE}

    def goal(self) -> Goal:
        """Away from the hull."""
        hulls: tuple[Hull, ...] = get_args(Literal["centre", "affine", "convex"])
        for hull in hulls:
            if hull == self.hull:
                return OutOfHull(hull)
        raise UserError(f"parameter hull={self.hull} is unknown; it takes centre, affine or convex.")

    def walk_within(self, budget: Budget) -> Descent:
        """See `GradientDefense`."""
        del budget
        return Descent(self.steps, self.reach, self.momentum, random_start=True, dropout=self.dropout)

    def learned_on(self) -> int | None:
        """See `GradientDefense`."""
        return self.learn


PLUGIN = OPOM
