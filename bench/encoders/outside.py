"""Encoders of packages installed beside this one: entry points of the group `cloakbench.encoders`.

Each leads to an `EncoderFamily` (`bench.protocols`): a module or an object with `cards` and `load`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import cast

from bench.errors import UserError
from bench.protocols import EncoderFamily
from bench.types import EncoderCard

GROUP = "cloakbench.encoders"
SCHEME = "plugin"


def cards(taken: Iterable[str]) -> dict[str, EncoderCard]:
    """Cards of all outside encoders, by name.

    Args:
        taken: names that are in use already.

    Raises:
        UserError: for a package that does not load, a card that is none, and a name that two have.
    """
    found: dict[str, EncoderCard] = {}
    own = set(taken)
    for point in entry_points(group=GROUP):
        for card in _cards(point):
            if card.name in own or card.name in found:
                raise UserError(
                    f"two plug-ins call themselves encoder {card.name!r}; the second is from "
                    f"{_package(point)}. Rename or uninstall one."
                )
            found[card.name] = replace(card, location=f"{SCHEME}:{point.name}")
    return found


def family(card: EncoderCard) -> EncoderFamily:
    """What loads an outside encoder.

    Raises:
        UserError: if its package is not installed here any more, or does not load.
    """
    name = card.location.partition(":")[2]
    for point in entry_points(group=GROUP):
        if point.name == name:
            return _family(point)
    raise UserError(f"encoder {card.name!r} is from entry point {name!r}, which is not installed here.")


def module(card: EncoderCard) -> str:
    """The module whose code computes an outside encoder."""
    found = family(card)
    return found.__name__ if isinstance(found, ModuleType) else type(found).__module__


def _family(point: EntryPoint) -> EncoderFamily:
    try:
        found = point.load()
    except (ImportError, AttributeError, SyntaxError) as error:
        raise UserError(
            f"encoders of {_package(point)} do not load: {error}. Repair or uninstall that package."
        ) from error
    if isinstance(found, type):
        found = found()
    if not callable(getattr(found, "cards", None)) or not callable(getattr(found, "load", None)):
        raise UserError(
            f"encoders of {_package(point)} do not load: {point.value} has no cards() or no load(). "
            "Repair or uninstall that package."
        )
    return cast(EncoderFamily, found)


def _cards(point: EntryPoint) -> list[EncoderCard]:
    given = list(_family(point).cards())
    for card in given:
        if not isinstance(card, EncoderCard) or len(card.sha256) != 64:
            raise UserError(
                f"{_package(point)} brings an encoder without a card that states its sha256: {card!r:.80}. "
                "Ask its author, or uninstall it."
            )
    return given


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist else point.value
