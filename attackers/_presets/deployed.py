"""A deployed product as an attacker: its numbers belong to the encoder that it embeds with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from bench.types import EncoderCard

from .._parameters.attacker import Attacker
from .families import FAMILIES, family_of

Numbers = Mapping[str, Mapping[str, float]]
"""Key of an encoder family -> name of a parameter -> the product's number for that family."""


@dataclass(frozen=True)
class Deployed(Attacker):
    """A preset of a product whose thresholds belong to encoder families.

    A parameter of the table that is None takes the number of the encoder at hand, and where the product has
    none for it, that of the product's own encoder.

    Attributes:
        numbers: The product's table. Its first family is the one that the product embeds with by default.
    """

    numbers: ClassVar[Numbers]

    def behind(self, card: EncoderCard) -> Self:
        """A copy with the product's numbers for an encoder's family, or else its default numbers.

        What was given stays.

        Args:
            card: The encoder that the attacker embeds with.
        """
        numbers = self.numbers.get(family_of(card), self._default)
        missing: dict[str, Any] = {name: v for name, v in numbers.items() if getattr(self, name) is None}
        return replace(self, **missing) if missing else self

    def foreign(self, card: EncoderCard) -> str:
        """Why the attacker's thresholds do not belong to an encoder; empty if they do, or all are given.

        Args:
            card: The encoder that the attacker embeds with.
        """
        if family_of(card) in self.numbers:
            return ""
        if all(getattr(self, name) not in (None, number) for name, number in self._default.items()):
            return ""
        return f"thresholds of {FAMILIES[next(iter(self.numbers))].title} used with {card.name}"

    def number(self, name: str) -> float:
        """A parameter of the table: as given, or the product's number for its own encoder."""
        given = getattr(self, name)
        return float(self._default[name] if given is None else given)

    @property
    def _default(self) -> Mapping[str, float]:
        return next(iter(self.numbers.values()))
