"""`a+b`: defenses one after another, within one budget."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bench import registry
from bench.errors import UserError
from bench.parameters import Plain, resolved
from bench.protocols import Kit
from bench.types import BUDGETS, Album, Budget, Face, Image, PluginCard

_BETWEEN = re.compile(r"\+(?=[a-z])")
"""A plus before a name; the plus of a number such as 1e+6 stands before a digit."""


@dataclass(frozen=True)
class Composition:
    """Defenses in the order in which they act, each on what the one before released.

    Where the last photo exceeds the run's budget, its change is made smaller by one factor.

    Attributes:
        names: What each defense is called.
        parts: The defenses, at least two.
    """

    names: tuple[str, ...]
    parts: tuple[Any, ...]

    @property
    def parameters(self) -> dict[str, Plain]:
        """Every parameter, as `defense.parameter`."""
        pairs = zip(self.names, self.parts, strict=True)
        return {f"{name}.{key}": value for name, part in pairs for key, value in resolved(part).items()}

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules whose code decides what is released."""
        return (__name__, *(type(part).__module__ for part in self.parts))

    @property
    def card(self) -> PluginCard:
        """What holds for all of them together: a budget is kept if each keeps it."""
        cards = [part.card for part in self.parts]
        kept = tuple(kind for kind in BUDGETS if all(kind in card.keeps for card in cards))
        return PluginCard(
            summary=", then ".join(card.summary for card in cards),
            source="; ".join(card.source for card in cards),
            surrogates=any(card.surrogates for card in cards),
            bounded=all(card.bounded for card in cards),
            budgets=kept,
        )

    def others(self) -> int:
        """How many reference people the most demanding part needs."""
        return max(part.others() if hasattr(part, "others") else 0 for part in self.parts)

    def needs_lpips(self) -> bool:
        """Whether a part measures LPIPS."""
        return any(part.needs_lpips() for part in self.parts if hasattr(part, "needs_lpips"))

    def check(self, budget: Budget) -> None:
        """See `bench.protocols.Defense`.

        Raises:
            UserError: A defense is there twice or changes nothing, no budget is kept by all, or a defense
                refuses its parameters or the budget.
        """
        text = "+".join(self.names)
        for name, part in zip(self.names, self.parts, strict=True):
            if name == "none":
                raise UserError(f"defense {text!r}: 'none' changes nothing. Leave it out.")
            if self.names.count(name) > 1:
                raise UserError(f"defense {text!r}: {name!r} is there twice. Name it once.")
            if hasattr(part, "check"):
                part.check(budget)
        if self.card.bounded and not self.card.budgets:
            raise UserError(f"defense {text!r}: its parts keep no budget of the same kind.")

    def cloak(self, albums: Sequence[Album], kit: Kit) -> list[list[Image | None]]:
        """See `bench.protocols.Defense.cloak`."""
        now, touched = list(albums), [[False] * len(album.photos) for album in albums]
        for part in self.parts:
            for i, released in enumerate(part.cloak(now, kit)):
                photos = tuple(
                    old if new is None else new for old, new in zip(now[i].photos, released, strict=True)
                )
                now[i] = replace(now[i], photos=photos)
                touched[i] = [was or new is not None for was, new in zip(touched[i], released, strict=True)]
        return [
            [
                self._within(old, new, face, kit) if done else None
                for old, new, face, done in zip(
                    before.photos, after.photos, before.faces, changed, strict=True
                )
            ]
            for before, after, changed in zip(albums, now, touched, strict=True)
        ]

    def _within(self, old: Image, new: Image, face: Face | None, kit: Kit) -> Image:
        if not self.card.bounded or face is None:
            return new
        change = new.astype(np.float32) - old

        def smaller(share: float) -> Image:
            return np.asarray((old + share * change).round(), np.uint8)

        return kit.engine.strongest(old, face, kit.budget, smaller)


def composed(text: str) -> tuple[str, Any]:
    """Read `NAME:field=value` or several of them joined by `+`.

    Returns:
        The name, and the defense with every parameter resolved.

    Raises:
        UserError: A name or a parameter is unknown.
    """
    made = [registry.make("defenses", part) for part in _BETWEEN.split(text)]
    if len(made) == 1:
        return made[0]
    names, parts = zip(*made, strict=True)
    return "+".join(names), Composition(names, parts)
