"""One repetition of an experiment: a split, its photos, its corpus, and what is published in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bench.attack.corpus import Corpus
from bench.channels.protocol import Channel
from bench.photos.collection import Photos, clean_photos
from bench.photos.through_channel import through
from bench.plan.nouns import Cloaking
from bench.plan.scenarios import SCENARIOS
from bench.plan.split import Split
from bench.protocols import Dataset
from bench.recognition.trained import Lesson, TrainingData
from bench.release.publisher import Publisher
from bench.types import Labels


@dataclass(frozen=True)
class Repetition:
    """One split of a data set, ready to be run on.

    Attributes:
        number: Of the split, from 0.
        data: The data set.
        split: Who plays which part.
        scenario: The scenario's name.
        publisher: Cloaks and measures.
    """

    number: int
    data: Dataset
    split: Split
    scenario: str
    publisher: Publisher

    @cached_property
    def corpus(self) -> Corpus:
        """Who is on each photo of the attacker's collection."""
        return Corpus.of(self.split, poisoned=SCENARIOS[self.scenario].poisoned)

    @cached_property
    def clean(self) -> Photos:
        """The users' photos as they were."""
        return self._photos(self.split.released)

    @cached_property
    def attackers_clean(self) -> Photos:
        """Clean photos that the attacker holds: labelled ones of the users, and everybody else's."""
        return self._photos((*self.split.labelled, *self.split.background))

    @cached_property
    def calibration(self) -> Lesson:
        """Clean photos of the calibration people, the crowd last, and who is on each."""
        return self._photos(self.split.calibration), _owners(self.split.calibration)

    @property
    def known(self) -> Labels:
        """int64 [person]: the calibration people with many photos, as `calibration` numbers them."""
        return np.arange(len(self.split.calibration) - self.split.crowd, dtype=np.int64)

    @cached_property
    def crowd(self) -> Lesson:
        """Clean photos of the crowd, and who is on each, numbered as in `calibration`."""
        first = len(self.split.calibration) - self.split.crowd
        people = self.split.calibration[first:]
        return self._photos(people), _owners(people) + first

    @cached_property
    def training(self) -> Lesson | None:
        """Clean photos of the people whom attackers train on, the crowd last; None where there are none."""
        people = self.split.training
        return (self._photos(people), _owners(people)) if people else None

    def cloaked_calibration(self, cloaking: Cloaking, platform: Channel) -> Lesson:
        """Photos of calibration people as the attacker cloaks them, with the defense as a black box.

        The crowd is left out: it stands for people without a cloak.

        Returns:
            The photos after the platform, and who is on each, numbered as in `calibration`.
        """
        split = self.split
        return self._cloaked(split.calibration[: len(split.calibration) - split.crowd], cloaking, platform)

    def training_data(self, cloaking: Cloaking, platform: Channel) -> TrainingData:
        """What an attacker may learn from: training people, or calibration people where there are none."""
        split, training = self.split, self.training
        if training is None:
            photos, people = self.calibration
            crowd, _ = self.crowd
            return TrainingData(
                photos, people, crowd, lambda: self.cloaked_calibration(cloaking, platform), cloaking.seed
            )
        known = split.training[: len(split.training) - split.training_crowd]
        held_out, _ = self.calibration
        return TrainingData(
            *training, held_out, lambda: self._cloaked(known, cloaking, platform), cloaking.seed
        )

    def _cloaked(self, people: Sequence[tuple[str, ...]], cloaking: Cloaking, platform: Channel) -> Lesson:
        """Photos of some people as the attacker cloaks them, and who is on each, from 0."""
        return through(self.publisher.cloaks(cloaking, people).photos(), platform), _owners(people)

    def _photos(self, people: Sequence[Sequence[str]]) -> Photos:
        """Clean photos of some people, one person after another."""
        return clean_photos(self.data, [photo for person in people for photo in person], self.split.boxes)


def _owners(people: Sequence[Sequence[str]]) -> Labels:
    return np.repeat(np.arange(len(people), dtype=np.int64), [len(photos) for photos in people])
