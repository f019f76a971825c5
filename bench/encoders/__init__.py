"""The encoders: names -> cards -> networks, each asked of the family that it belongs to.

Nothing here knows a name, a file or a format: `bench/encoders/families/` does. Nothing imports torch before
an encoder is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from bench.encoders import card_files, outside, written
from bench.encoders.families import own
from bench.encoders.family import Family
from bench.encoders.written import Written
from bench.errors import UserError, unknown_name
from bench.parameters import Plain, plain
from bench.protocols import Encoder
from bench.store.folders import expanded
from bench.types import EncoderCard, Folders

READY = "ready"
"""The state of an encoder that can be loaded; see `availability`."""


def names() -> list[str]:
    """Every name that `load` takes, built-in ones first, whether the weights are here or not.

    Names of users' files, such as `onnx:FILE`, cannot be listed; see `forms`.

    Raises:
        UserError: if a package beside this one brings encoders that do not load, or a name that is taken.
    """
    return list(_listed())


def built_in() -> list[str]:
    """The names of encoders whose weights the package ships."""
    return [card.name for family in own() if family.built_in for card in family.cards()]


def forms() -> dict[str, str]:
    """The names by which users bring networks of their own, such as `onnx:FILE`, with a line about each."""
    return {f"{family.scheme}:FILE": family.scheme_about for family in own() if family.scheme}


def read(text: str) -> Written:
    """The encoders that somebody wrote: `name`, `onnx:FILE`, `a+b`, `mean:a+b` or `weighted:a+b`.

    Nothing is looked for.

    Raises:
        UserError: Nothing stands beside a plus sign, or a quote is not closed.
    """
    return written.read(text, _schemes(), _listed())


def lookup(name: str) -> tuple[Family, EncoderCard]:
    """The family that a name belongs to, and the card. Weights are not looked for.

    Args:
        name: One of `names`, or a file in one of the `forms`: a member of what `read` gives.

    Raises:
        UserError: for a name that does not exist, and for a file whose card is missing or wrong.
    """
    listed = _listed()
    family = _family_of_form(name)
    if family is None:
        if name not in listed:
            raise _unknown(name, listed)
        return listed[name]
    file = expanded(Path(name.partition(":")[2]))
    card = family.card_beside(file)
    if card.name in listed:
        raise UserError(
            f"{card.name!r} is the name of another encoder. Set another name in {card_files.card_path(file)}."
        )
    return family, card


def ready(name: str, folders: Folders) -> EncoderCard:
    """The card of an encoder whose weights are here, with the digest of the weights.

    A file that nobody has vouched for (a user's own, or one whose publisher states no digest) is looked into
    as well, so that it is refused before a run rather than in the middle of one.

    Args:
        name: As for `lookup`.
        folders: Where weights may lie.

    Raises:
        UserError: for a name that does not exist, and for weights that are missing, altered, or not what the
            card says.
    """
    family, card = lookup(name)
    return family.ready(card, folders)


def load(encoder: str | EncoderCard, folders: Folders, device: str = "cpu") -> Encoder:
    """Make an encoder, its weights verified.

    Args:
        encoder: A name as for `lookup`, or a card that `ready` gave.
        folders: Where weights may lie.
        device: `cpu`, `cuda`, `cuda:1`.

    Raises:
        UserError: for an unknown name, and for weights that are missing or not what they should be.
    """
    card = ready(encoder, folders) if isinstance(encoder, str) else encoder
    return _owner(card).load(card, folders, device)


def identity(card: EncoderCard) -> Plain:
    """Everything on a card that decides a result, and what its family adds: for digests."""
    decides = (card.name, card.sha256, card.crop, card.preprocessing, card.dimensions)
    tells_knowledge = (card.architecture, card.training_set)
    code = _owner(card).code if card.location else []  # a network that an attacker trained has none
    return [*(plain(value) for value in (*decides, *tells_knowledge)), *code]


def modules(cards: Iterable[EncoderCard]) -> list[str]:
    """The modules whose code, with all that they import, makes and runs encoders: for the keys of stages.

    Imports do not lead to a family, so a stage that uses encoders asks here. A network that an attacker
    trained has no module: its digest holds the code already.
    """
    return sorted({_owner(card).module for card in cards if card.location})


def distinct(cards: Iterable[EncoderCard]) -> None:
    """See that no two encoders of a run have one name.

    Raises:
        UserError: if two different ones do: no record could tell them apart.
    """
    seen: dict[str, EncoderCard] = {}
    for card in cards:
        if seen.setdefault(card.name, card) != card:
            raise UserError(
                f"two different encoders of this run are called {card.name!r}. "
                f"Set another name in the card of {card.location.partition(':')[2]}."
            )


def availability(folders: Folders) -> list[tuple[EncoderCard, str]]:
    """Every encoder's card, with `READY`, or with what is missing and what to type."""
    return [(card, family.missing(card, folders) or READY) for family, card in _listed().values()]


def present(card: EncoderCard, folders: Folders) -> Path | None:
    """The file with an encoder's weights, unverified; None where it is not, or is a package's own affair."""
    return _owner(card).present(card, folders)


def remedy(card: EncoderCard, folders: Folders) -> str:
    """What to type, or to do, for an encoder whose weights are missing."""
    return _owner(card).remedy(card, folders)


def _families() -> Iterator[Family]:
    """Every family. Those of other packages come last, and are looked for only when none before will do."""
    yield from own()
    yield from outside.families()


def _listed() -> dict[str, tuple[Family, EncoderCard]]:
    """Every name with its family and its card."""
    listed: dict[str, tuple[Family, EncoderCard]] = {}
    for family in _families():
        for card in family.cards():
            if card.name in listed:
                raise UserError(
                    f"two plug-ins call themselves encoder {card.name!r}; the second is from "
                    f"{family.package}. Rename or uninstall one."
                )
            listed[card.name] = family, replace(card, location=family.location)
    return listed


def _family_of_form(name: str) -> Family | None:
    """The family of a name such as `onnx:FILE`; None for a name of another kind."""
    scheme, colon, _ = name.partition(":")
    return next((family for family in own() if colon and scheme and family.scheme == scheme), None)


def _schemes() -> list[str]:
    return [family.scheme for family in own() if family.scheme]


def _unknown(name: str, listed: Iterable[str]) -> UserError:
    """The error for a name that no encoder has; whoever names a file is told how."""
    form = next((family for family in own() if name.lower().endswith(family.endings)), None)
    if form is None or not form.endings:
        return unknown_name("encoder", name, listed, command="bench list encoders")
    typed = Written((f"{form.scheme}:{name}",))
    return UserError(f"no encoder {name!r}. For a file of yours type {typed}, with a card beside the file.")


def _owner(card: EncoderCard) -> Family:
    family = next((family for family in _families() if family.owns(card)), None)
    if family is None:
        raise UserError(f"encoder {card.name!r} is from {card.location!r}, which is not installed here.")
    return family
