"""The likeness of a probe to a person, by the photos of the person that are nearest to the probe."""

from __future__ import annotations

import numpy as np

from bench.types import Ints

from .._embeddings.rows import Floats32, block_rows
from .enrolled import Enrolled, Scorer


def mean_of_nearest(gallery: Enrolled, k: int) -> Scorer:
    """The mean cosine of the k nearest photos of each person, in [-1, 1].

    All photos count of a person who has fewer than k.
    """
    photos = _photos_by_person(gallery.person)
    counted = np.minimum((photos < gallery.person.size).sum(axis=1), k).astype(np.float32)

    def of_a_block(probes: Floats32) -> Floats32:
        alike = probes @ gallery.rows.T
        alike = np.concatenate([alike, np.full((len(alike), 1), -np.inf, np.float32)], axis=1)
        by_person = alike[:, photos]
        if photos.shape[1] > k:
            by_person = np.partition(by_person, photos.shape[1] - k, axis=2)[:, :, -k:]
        total = np.where(np.isinf(by_person), np.float32(0), by_person).sum(axis=2)
        return np.asarray(total / counted, np.float32)

    def score(probes: Floats32) -> Floats32:
        step = block_rows(max(photos.size, gallery.person.size))
        parts = [of_a_block(probes[start : start + step]) for start in range(0, len(probes), step)]
        return np.concatenate(parts) if parts else np.empty((0, len(photos)), np.float32)

    return score


def _photos_by_person(person: Ints) -> Ints:
    """The numbers of each person's photos [person, most], padded with the number of all photos."""
    counts = np.bincount(person)
    place = np.arange(person.size) - np.repeat(np.cumsum(counts) - counts, counts)
    photos = np.full((counts.size, int(counts.max())), person.size, np.int64)
    photos[person, place] = np.arange(person.size)
    return photos
