"""Encoders of packages installed beside this one: entry points of the group `cloakbench.encoders`.

Each leads to an `EncoderFamily` (`bench.protocols`): a module or an object with `cards` and `load`. The
adapter here gives it what the room asks of a family besides.
"""

from __future__ import annotations

import re
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import cast

from bench.encoders.family import Family
from bench.encoders.written import NAME
from bench.errors import UserError
from bench.parameters import Plain
from bench.protocols import Encoder, EncoderFamily
from bench.store.code import file_code
from bench.store.reasons import reason
from bench.types import EncoderCard, Folders

GROUP = "cloakbench.encoders"


class OutsideFamily(Family):
    """The encoders of one entry point. The package finds and verifies weights when it loads an encoder."""

    def __init__(self, point: EntryPoint) -> None:
        """Store; the package is imported when its cards are asked for.

        Args:
            point: The entry point, which leads to an `EncoderFamily`.
        """
        self.package = point.dist.name if point.dist else point.value
        self._point = point

    @property
    def location(self) -> str:
        """What its cards have as their `location`: the entry point."""
        return f"plugin:{self._point.name}"

    def cards(self) -> list[EncoderCard]:
        """The cards of all its encoders.

        Raises:
            UserError: if the package does not load, and for a card without a digest, or with a name that
                cannot be typed.
        """
        stated = list(self._family().cards())
        for card in stated:
            if not isinstance(card, EncoderCard) or len(card.sha256) != 64:
                raise UserError(
                    f"{self.package} brings an encoder without a card that states its sha256: {card!r:.80}. "
                    "Ask its author, or uninstall it."
                )
            if re.fullmatch(NAME, card.name) is None:
                raise UserError(
                    f"{self.package} calls an encoder {card.name!r}, which could not be typed: a name has "
                    "letters, digits, dots, hyphens and underscores. Ask its author, or uninstall it."
                )
        return stated

    def load(self, card: EncoderCard, folders: Folders, device: str) -> Encoder:
        """One of its encoders.

        Raises:
            UserError: if the package does not load, and whatever the package refuses.
        """
        return self._family().load(card, folders, device)

    @property
    def apart(self) -> bool:
        """In this process, which knows the package."""
        return False

    def untried(self, card: EncoderCard, folders: Folders) -> EncoderCard | None:
        """The card: a package's own author may have left dropout on."""
        del folders
        return card

    @property
    def module(self) -> str:
        """The package's module, or that of its object's class."""
        family = self._family()
        return family.__name__ if isinstance(family, ModuleType) else type(family).__module__

    @property
    def code(self) -> list[Plain]:
        """The digest of the module's file: a new version of a package may embed otherwise."""
        return [file_code(self.module)]

    def _family(self) -> EncoderFamily:
        try:
            family = self._point.load()
        except (ImportError, AttributeError, SyntaxError) as error:
            raise UserError(
                f"encoders of {self.package} do not load: {reason(error)}. Repair or uninstall that package."
            ) from error
        if isinstance(family, type):
            family = family()
        if not callable(getattr(family, "cards", None)) or not callable(getattr(family, "load", None)):
            raise UserError(
                f"encoders of {self.package} do not load: {self._point.value} has no cards() or no load(). "
                "Repair or uninstall that package."
            )
        return cast(EncoderFamily, family)


def families() -> list[OutsideFamily]:
    """The families of all packages that are installed beside this one."""
    return [OutsideFamily(point) for point in entry_points(group=GROUP)]
