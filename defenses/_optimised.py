"""What optimising defenses share: each adds its goal, its defaults and its source. Private to this folder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import ClassVar

from bench.errors import UserError
from bench.protocols import Descent, Goal, Kit
from bench.types import Album, Budget, Image, PluginCard

from ._checks import check_kept

DIVERSE = Descent(jitter=1.0, smoothing=1.0)
"""A descent whose cloaks carry over to encoders that they were not made against: every gradient is taken
through an alignment of its own and smoothed (Xie et al. 2019; Dong et al. 2019), and steps have momentum."""


@dataclass(frozen=True)
class Optimised(ABC):
    """A goal that the cloaking engine walks towards.

    Every field of a subclass that `bench.protocols.Descent` has too goes into the descent.

    Attributes:
        steps: Gradient steps.
        reach: The sum of all steps, in budgets.
        momentum: The decay of the accumulated gradient.
    """

    steps: int = 20
    reach: float = 2.5
    momentum: float = 1.0

    card: ClassVar[PluginCard]
    fixed: ClassVar[Descent] = Descent()
    """Everything about the descent that is no parameter."""

    @abstractmethod
    def goal(self) -> Goal:
        """What is optimised.

        Raises:
            UserError: for a parameter out of range.
        """

    def walk(self) -> Descent:
        """How the engine walks.

        Raises:
            UserError: for a parameter out of range.
        """
        shared = {field.name for field in fields(self)} & {field.name for field in fields(Descent)}
        return replace(self.fixed, **{name: getattr(self, name) for name in shared})

    def learned_on(self) -> int | None:
        """How many photos of a user one mask is learned on; None where every photo has pixels of its own."""
        return None

    def check(self, budget: Budget) -> None:
        """See `bench.protocols.Defense`."""
        check_kept(type(self), self.card, budget)
        learn = self.learned_on()
        if learn is not None and learn < 1:
            raise UserError(f"parameter learn={learn} is out of range; it takes 1 or more.")
        self.goal()
        self.walk().check()

    def cloak(self, albums: Sequence[Album], kit: Kit) -> list[list[Image | None]]:
        """See `bench.protocols.Defense.cloak`."""
        learn = self.learned_on()
        if learn is None:
            return kit.engine.cloak(albums, kit, self.goal(), self.walk())
        return kit.engine.cloak_universal(albums, kit, self.goal(), self.walk(), learn=learn)
