"""The detectors that a run's attackers find faces with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.errors import UserError
from bench.faces import detectors
from bench.parameters import Plain
from bench.types import EncoderCard, Folders

OWN = "own"
"""Stands for the detector that an encoder's card names."""

Recogniser = tuple[EncoderCard, tuple[EncoderCard, ...], dict[str, Plain]]
"""An encoder, its members, and everything that decides which faces it gets."""


def with_detectors(
    encoder_axis: Iterable[tuple[EncoderCard, tuple[EncoderCard, ...]]],
    asked: Sequence[str],
    folders: Folders,
) -> list[Recogniser]:
    """Every encoder with every detector that was asked for, each pair once.

    An ensemble finds faces once, for all of its members, see `bench.adaptations.ensembles.detector_of`.

    Args:
        encoder_axis: The card of each encoder, and those of its members.
        asked: Names of detectors, or `OWN`.
        folders: Where weights lie.

    Raises:
        UserError: There is no such detector, or what it needs is missing or altered.
    """
    return [
        (card, members, detectors.parameters(name))
        for card, members in encoder_axis
        for name in dict.fromkeys(_ready(text, card, folders) for text in asked)
    ]


def own(card: EncoderCard, folders: Folders) -> str:
    """The detector that an encoder's card names, once it is seen that it can be loaded.

    Raises:
        UserError: There is no such detector, or what it needs is missing or altered.
    """
    try:
        detectors.lookup(card.detector).check(folders)
    except UserError as error:
        raise UserError(
            f"encoder {card.name!r} is built with another detector than most: {error} "
            f"With --detector {detectors.USUAL} it runs without."
        ) from error
    return card.detector


def _ready(text: str, card: EncoderCard, folders: Folders) -> str:
    if text == OWN:
        return own(card, folders)
    detectors.lookup(text).check(folders)
    return text
