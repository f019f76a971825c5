"""What all optimising defenses share. Private to this folder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bench.protocols import Descent, Goal, Kit
from bench.types import Album, Budget, Image, PluginCard

from ._checks import check_kept
from ._ranges import COUNT, Ranges, check_ranges


@dataclass(frozen=True)
class GradientDefense(ABC):
    """A goal that the cloaking engine walks towards, and how it walks.

    Attributes:
        steps: Gradient steps.
    """

    steps: int = 100

    card: ClassVar[PluginCard]
    ranges: ClassVar[Ranges] = {}
    """The ranges of parameters that the descent does not look at itself."""

    @abstractmethod
    def goal(self) -> Goal:
        """What is optimised.

        Raises:
            UserError: A parameter is out of range.
        """

    @abstractmethod
    def walk_within(self, budget: Budget) -> Descent:
        """How the engine walks under a budget.

        Raises:
            UserError: A parameter is out of range.
        """

    def learned_on(self) -> int | None:
        """How many photos of a user one mask is learned on; None where every photo has pixels of its own."""
        return None

    def others(self) -> int:
        """How many reference people the goal needs; see `bench.protocols.Defense`."""
        return 0

    def needs_lpips(self) -> bool:
        """Whether the descent measures LPIPS; see `bench.protocols.Defense`."""
        return False

    def check(self, budget: Budget) -> None:
        """See `bench.protocols.Defense`."""
        check_kept(type(self), self.card, budget)
        check_ranges(self, {"learn": COUNT, **self.ranges})
        self.goal()
        self.walk_within(budget).check()

    def cloak(self, albums: Sequence[Album], kit: Kit) -> list[list[Image | None]]:
        """See `bench.protocols.Defense.cloak`."""
        learn, descent = self.learned_on(), self.walk_within(kit.budget)
        if learn is None:
            return kit.engine.cloak(albums, kit, self.goal(), descent)
        return kit.engine.cloak_universal(albums, kit, self.goal(), descent, learn=learn)
