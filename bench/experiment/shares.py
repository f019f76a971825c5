"""What cells need, in parts that any process can make by itself, ahead of the cells.

A cell that has to cloak, look and train alone keeps all others waiting. Groups of cloaks, slices of photos
and single networks depend on nothing of each other, and the store has each of them under a key of its own. So
several processes make them at once, and the cell finds them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench import channels
from bench.experiment.stages import Stages, attacker_trains
from bench.photos.collection import Photos, some_of
from bench.photos.through_channel import through
from bench.plan.cells import Cell
from bench.plan.split import Split
from bench.recognition.attacker_view import as_it_is, learns_from_cloaks, trains_networks
from bench.release.publisher import People, grouped

SLICE = 200
"""Photos of a slice, about."""

CLOAK, LOOK, LOOK_AT, TRAIN, LOOK_THROUGH = "cloak", "look", "look at", "train", "look through"
"""Groups of cloaks; slices of clean photos, and of published ones, through networks as they are; networks
that the attacker trains; slices of all photos through these, or in several versions."""


@dataclass(frozen=True)
class Share:
    """A part of what a cell needs.

    Attributes:
        kind: One of the kinds above.
        part: Which part, from 0.
        of: How many there are.
    """

    kind: str
    part: int
    of: int


def counts(cell: Cell, split: Split, device: str) -> tuple[list[tuple[str, int]], ...]:
    """In how many parts it can be made what a cell needs.

    Args:
        cell: The cell.
        split: Who plays which part in it.
        device: Where cloaks are made.

    Returns:
        For what is published, for what is looked at before, for looks at what is published, and for what is
        learned: kinds and numbers. Each kind is made of what the kinds before it made. What has but one part
        is left to the cell.
    """
    view = cell.view
    if channels.learner(channels.parse(view.channel)) is not None or view.suspected:
        return [], [], [], []
    own = _own_cloaks(cell, split)
    clean = _photos(_clean_people(cell, split))
    published = _photos([split.released, *own])
    groups = sum(len(grouped(people, device)) for people in (split.released, *own))
    controls = 2 * _photos([split.released])
    plain = as_it_is(view)
    networks = len(view.members) if trains_networks(view) else 0
    learned = [] if plain else [(TRAIN, networks), (LOOK_THROUGH, _slices(clean + published + controls))]
    found = ([(CLOAK, groups)], [(LOOK, _slices(clean))], [(LOOK_AT, _slices(published))], learned)
    return tuple([(kind, count) for kind, count in kinds if count > 1] for kinds in found)


def make(stages: Stages, share: Share) -> None:
    """Make a share; the store has it then."""
    if share.kind == CLOAK:
        _cloak(stages, share)
    elif share.kind == TRAIN:
        stages.view.train_ahead(share.part)
    else:
        # through networks that are yet to be trained, there are only faces to find
        embeds = share.kind == LOOK_THROUGH or as_it_is(stages.cell.view)
        for photos in _looked_at(stages, share.kind):
            mine = some_of(photos, range(share.part, len(photos), share.of))
            look = stages.view.look_ahead if embeds else stages.view.faces
            look(mine, f"a {share.of}th of photos")


def _cloak(stages: Stages, share: Share) -> None:
    publisher, cloaking = stages.repetition.publisher, stages.cell.cloaking
    released = publisher.groups(cloaking)
    own = [
        group
        for people in _own_cloaks(stages.cell, stages.repetition.split)
        for group in publisher.groups_of(people)
    ]
    for group in released[share.part :: share.of]:
        publisher.cloak_group(cloaking, group)
    # the parts go on where those of the released photos end
    for group in own[(share.part - len(released)) % share.of :: share.of]:
        publisher.cloak_group_of(cloaking, group)


def _looked_at(stages: Stages, kind: str) -> Iterator[Photos]:
    repetition, cell = stages.repetition, stages.cell
    platform = channels.platform(cell.view.channel)
    if kind in (LOOK, LOOK_THROUGH):
        yield repetition.clean
        yield repetition.attackers_clean
        yield repetition.calibration[0]
        if repetition.training is not None and _needs_training_people(cell):
            yield repetition.training[0]
    if kind == LOOK_THROUGH:  # no cell of a control looks through the networks of this one
        yield from stages.controls().values()
    if kind in (LOOK_AT, LOOK_THROUGH):
        publisher, cloaking = repetition.publisher, cell.cloaking
        yield through(publisher.release(cloaking).photos(), platform)
        for people in _own_cloaks(cell, repetition.split):
            yield through(publisher.cloaks(cloaking, people).photos(), platform)


def _clean_people(cell: Cell, split: Split) -> list[People]:
    training = [split.training] if _needs_training_people(cell) else []
    return [split.released, split.labelled, split.background, split.calibration, *training]


def _own_cloaks(cell: Cell, split: Split) -> Sequence[People]:
    """Whom the attacker cloaks itself: those whom it tunes on, and those whom it trains on."""
    held_out = split.calibration[: len(split.calibration) - split.crowd]
    known = split.training[: len(split.training) - split.training_crowd]
    adaptive = cell.attack.level == "adaptive"
    learns = learns_from_cloaks(cell.view) or (attacker_trains(cell) and cell.attack.level != "oblivious")
    tuned = adaptive or (learns and not known)
    return ([held_out] if tuned and held_out else []) + ([known] if learns and known else [])


def _needs_training_people(cell: Cell) -> bool:
    return trains_networks(cell.view) or learns_from_cloaks(cell.view) or attacker_trains(cell)


def _photos(parts: Sequence[People]) -> int:
    return sum(len(person) for people in parts for person in people)


def _slices(photos: int) -> int:
    return math.ceil(photos / SLICE)
