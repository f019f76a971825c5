"""Nearest neighbours: names the person on a probe by the labelled photos that look most alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bench.errors import UserError
from bench.types import Embeddings, Gallery, Labels, PluginCard

from ._embeddings import block_rows, unit_rows


@dataclass(frozen=True)
class Knn:
    """Ranks people by the mean cosine similarity of their k gallery photos that are nearest to the probe.

    With k = 1 this is the rank-k identification of face recognition: a person is as near as their best photo.

    Attributes:
        k: gallery photos of a person that count; all of them for people who have fewer.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="ranks gallery people by their k photos nearest to the probe",
        source="Cover and Hart, IEEE Trans. Inf. Theory 13(1), 1967",
    )

    k: int = 1

    def check(self) -> None:
        """See `bench.protocols.Clusterer`."""
        if self.k < 1:
            raise UserError(f"knn: k {self.k} is below 1. Try k=1.")

    def calibrated(self, embeddings: Embeddings, people: Labels) -> Knn:
        """Itself: a ranking has no threshold, so there is nothing that calibration identities could tune."""
        return self

    def rank(self, probes: Embeddings, gallery: Gallery, top: int) -> Labels:
        """The `top` most likely people for each probe, best first.

        Ties go to the person with the lower number. With fewer than `top` people the rest of a row is -1.

        Args:
            probes: [probe, dimension].
            gallery: clean labelled photos.
            top: how many people to name; at least 1.

        Returns:
            int [probe, top].

        Raises:
            ValueError: for embeddings that are zero or not finite, dimensions that differ, an empty gallery,
                or top below 1.
        """
        if top < 1:
            raise ValueError(f"top must be at least 1, got {top}")
        asked, held = unit_rows(probes, "probes"), unit_rows(gallery.embeddings, "gallery")
        owners = np.asarray(gallery.people)
        if owners.shape != held.shape[:1] or owners.size == 0:
            raise ValueError(f"the gallery names {owners.size} people on {held.shape[0]} photos")
        if asked.shape[1] != held.shape[1]:
            raise ValueError(f"probes have {asked.shape[1]} dimensions, the gallery {held.shape[1]}")
        people, photos = _photos_by_person(owners)
        taken = np.minimum((photos < owners.size).sum(axis=1), self.k)

        ranked = np.full((asked.shape[0], top), -1, np.int64)
        step = block_rows(max(photos.size, owners.size))
        for start in range(0, asked.shape[0], step):
            alike = asked[start : start + step] @ held.T
            alike = np.concatenate([alike, np.full((len(alike), 1), -np.inf, np.float32)], axis=1)
            theirs = alike[:, photos]
            if photos.shape[1] > self.k:
                theirs = np.partition(theirs, photos.shape[1] - self.k, axis=2)[:, :, -self.k :]
            score = np.where(np.isinf(theirs), 0, theirs).sum(axis=2) / taken
            best = np.argsort(-score, axis=1, kind="stable")[:, :top]
            ranked[start : start + step, : best.shape[1]] = people[best]
        return ranked


def _photos_by_person(owners: Labels) -> tuple[Labels, Labels]:
    """Sorted people, and the numbers of their photos [person, most], padded with `owners.size`."""
    people, person, counts = np.unique(owners, return_inverse=True, return_counts=True)
    order = np.argsort(person, kind="stable")
    place = np.arange(owners.size) - np.repeat(np.cumsum(counts) - counts, counts)
    photos = np.full((people.size, int(counts.max())), owners.size, np.int64)
    photos[person[order], place] = order
    return people.astype(np.int64), photos


PLUGIN = Knn
