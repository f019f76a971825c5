"""One draw of who plays which part: its photos, its corpus, and what is published in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bench.attack.judge import Corpus
from bench.channels import Channel
from bench.plan.cells import Cell
from bench.plan.scenarios import SCENARIOS
from bench.plan.split import Split
from bench.protocols import Dataset
from bench.recognition.observer import Photos, clean, through
from bench.recognition.recogniser import Lessons
from bench.release.publisher import Publisher
from bench.types import Labels


class LeakError(Exception):
    """Parts that must be disjoint are not: a fault of the benchmark, never the user's."""


@dataclass(frozen=True)
class Draw:
    """One split of a data set, ready to be run on.

    Attributes:
        data: whose photos.
        split: who plays which part.
        scenario: its name.
        publisher: cloaks and measures.
    """

    data: Dataset
    split: Split
    scenario: str
    publisher: Publisher

    def __post_init__(self) -> None:
        """See that nobody is on both sides: attackers learn from calibration people alone.

        Raises:
            LeakError: if a photo plays two parts.
        """
        parts = self.split
        groups = (parts.released, parts.labelled, parts.calibration, parts.reference, parts.background)
        placed = Counter(photo for group in groups for person in group for photo in person)
        twice = [photo for photo, times in placed.items() if times > 1]
        if twice:
            raise LeakError(
                f"{len(twice)} photos play two parts of one run: whatever came of it would mislead"
            )

    @cached_property
    def corpus(self) -> Corpus:
        """Who is on each photo of the attacker's collection."""
        return Corpus.of(self.split, poisoned=SCENARIOS[self.scenario].poisoned)

    @cached_property
    def clean(self) -> Photos:
        """The users' photos as they were."""
        return self._photos(self.split.released)

    @cached_property
    def held(self) -> Photos:
        """Clean photos that the attacker holds: labelled ones of the users, and everybody else's."""
        return self._photos((*self.split.labelled, *self.split.background))

    @cached_property
    def calibration(self) -> Photos:
        """Clean photos of the calibration people."""
        return self._photos(self.split.calibration)

    @cached_property
    def calibration_people(self) -> Labels:
        """Int [photo], who is on each of `calibration`."""
        return _people(self.split.calibration)

    def cloaked_calibration(self, cell: Cell, platform: Channel) -> tuple[Photos, Labels]:
        """Photos of calibration people as the attacker cloaks them, with the defense as a black box.

        The crowd is left out: it stands for people without a cloak.

        Returns:
            The photos after the platform, and who is on each, numbered as in `calibration_people`.
        """
        known = self.split.calibration[: len(self.split.calibration) - self.split.crowd]
        return through(self.publisher.cloaks(cell, known).photos(), platform), _people(known)

    @cached_property
    def crowd(self) -> tuple[Photos, Labels]:
        """Clean photos of the crowd, and who is on each, numbered as in `calibration_people`."""
        first = len(self.split.calibration) - self.split.crowd
        people = self.split.calibration[first:]
        return self._photos(people), _people(people) + first

    def lessons(self, cell: Cell, platform: Channel) -> Lessons:
        """What the attacker of a cell may learn from."""
        return Lessons(
            self.calibration,
            self.calibration_people,
            lambda: self.cloaked_calibration(cell, platform),
            cell.seed,
        )

    def _photos(self, people: Sequence[Sequence[str]]) -> Photos:
        """Clean photos of some people, one person after another."""
        return clean(self.data, [p for person in people for p in person], self.split.boxes)


def _people(people: Sequence[Sequence[str]]) -> Labels:
    return np.repeat(np.arange(len(people), dtype=np.int64), [len(photos) for photos in people])
