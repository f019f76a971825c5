"""Nearest neighbours: names the person on a probe by the labelled photos that look most alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bench.errors import UserError
from bench.types import PluginCard

from ._embeddings import Floats32, block_rows
from ._enrolled import Enrolled, Scorer
from ._neighbours import Ints
from ._openset import OpenSet


@dataclass(frozen=True)
class Knn(OpenSet):
    """Ranks people by the mean cosine similarity of their k gallery photos that are nearest to the probe.

    With k = 1 this is the rank-k identification of face recognition: a person is as near as their best photo.

    Attributes:
        open_set: reject probes that are like nobody.
        threshold: mean cosine up to which a probe is rejected; None takes it from calibration identities.
        far: false accept rate that the threshold is calibrated at.
        k: gallery photos of a person that count; all of them for people who have fewer.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="ranks gallery people by their k photos nearest to the probe",
        source="Cover and Hart, IEEE Trans. Inf. Theory 13(1), 1967",
    )

    k: int = 1

    def check(self) -> None:
        """See `bench.protocols.Clusterer`."""
        super().check()
        if self.k < 1:
            raise UserError(f"knn: k {self.k} is below 1. Try k=1.")

    def fitted(self, held: Enrolled) -> Scorer:
        """Mean cosine of the k nearest photos of each person, in [-1, 1]."""
        photos = _photos_by_person(held.person)
        taken = np.minimum((photos < held.person.size).sum(axis=1), self.k).astype(np.float32)

        def few(probes: Floats32) -> Floats32:
            alike = probes @ held.rows.T
            alike = np.concatenate([alike, np.full((len(alike), 1), -np.inf, np.float32)], axis=1)
            theirs = alike[:, photos]
            if photos.shape[1] > self.k:
                theirs = np.partition(theirs, photos.shape[1] - self.k, axis=2)[:, :, -self.k :]
            total = np.where(np.isinf(theirs), np.float32(0), theirs).sum(axis=2)
            return np.asarray(total / taken, np.float32)

        def score(probes: Floats32) -> Floats32:
            step = block_rows(max(photos.size, held.person.size))
            parts = [few(probes[start : start + step]) for start in range(0, len(probes), step)]
            return np.concatenate(parts) if parts else np.empty((0, len(photos)), np.float32)

        return score


def _photos_by_person(person: Ints) -> Ints:
    """The numbers of everybody's photos [person, most], padded with the number of photos."""
    counts = np.bincount(person)
    place = np.arange(person.size) - np.repeat(np.cumsum(counts) - counts, counts)
    photos = np.full((counts.size, int(counts.max())), person.size, np.int64)
    photos[person, place] = np.arange(person.size)
    return photos


PLUGIN = Knn
