"""People whom an attacker knows: those on whom its thresholds are tuned, and those whom it trains on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.recognition.embedded import Embedded
from bench.store.digests import array_digest
from bench.types import Embeddings, Labels, Mask


@dataclass(frozen=True)
class Calibration:
    """Photos of calibration people.

    Attributes:
        photos: All of them; one without a face stays in the denominator of a rate.
        owners: int64 [photo], who is on each.
        known: int64 [person], the people with many photos, who are counted; the others are a crowd.
    """

    photos: Embedded
    owners: Labels
    known: Labels

    @property
    def embeddings(self) -> Embeddings:
        """float32 [face, dimension], of the photos that have a face."""
        return self.photos.of_faces

    @property
    def people(self) -> Labels:
        """int64 [face], who is on each photo that has a face."""
        return self.owners[self.photos.has_face]

    @property
    def digest(self) -> list[str]:
        """Of content."""
        parts = (self.photos.vectors, self.photos.has_face, self.owners, self.known)
        return [array_digest(part) for part in parts]


@dataclass(frozen=True)
class Lessons:
    """Embeddings of people whom an attacker trains on; nobody of them is a calibration person.

    Attributes:
        embeddings: float32 [photo, dimension], of photos that have a face.
        people: int64 [photo], who is on each.
        cloaked: bool [photo], the photos that the attacker cloaked itself.
    """

    embeddings: Embeddings
    people: Labels
    cloaked: Mask

    @property
    def digest(self) -> list[str]:
        """Of content."""
        return [array_digest(part) for part in (self.embeddings, self.people, self.cloaked)]


def halved(people: Labels) -> Mask:
    """The later half of each person's photos: bool [photo]. The first half is enrolled, the later looked for.

    Args:
        people: int [photo], who is on each.
    """
    later = np.zeros(len(people), bool)
    for person in np.unique(people):
        own = np.flatnonzero(people == person)
        later[own[(len(own) + 1) // 2 :]] = True
    return later
