"""How like a person a probe is, by the photos of the person that are nearest to it."""

from __future__ import annotations

import numpy as np

from bench.types import Ints

from .._embeddings.rows import Floats32, block_rows
from .enrolled import Enrolled, Scorer


def mean_of_nearest(held: Enrolled, k: int) -> Scorer:
    """Mean cosine of the k nearest photos of each person, of all for people who have fewer; in [-1, 1]."""
    photos = _photos_by_person(held.person)
    taken = np.minimum((photos < held.person.size).sum(axis=1), k).astype(np.float32)

    def few(probes: Floats32) -> Floats32:
        alike = probes @ held.rows.T
        alike = np.concatenate([alike, np.full((len(alike), 1), -np.inf, np.float32)], axis=1)
        theirs = alike[:, photos]
        if photos.shape[1] > k:
            theirs = np.partition(theirs, photos.shape[1] - k, axis=2)[:, :, -k:]
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
