"""A labelled gallery in an order of its own, and the ranking of people that a score makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.types import Embeddings, Gallery, Ints, Labels

from .._embeddings.order import content_order
from .._embeddings.rows import Floats32, block_rows, unit_rows

Scorer = Callable[[Floats32], Floats32]
"""Unit rows of probes -> the score of each person for each probe: [probe, person], larger is likelier."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The photos of a gallery, person by person.

    The photos of a person lie in an order that their contents decide. An attacker cannot read off how the
    gallery was listed, and the listing does not change the last bit of what the attacker learns.

    Attributes:
        rows: [photo, dimension], unit vectors.
        person: int [photo], increasing: the position of the photo's person in `people`.
        people: The increasing numbers of the people.
    """

    rows: Floats32
    person: Ints
    people: Ints


def enrolled(embeddings: Embeddings, people: Labels) -> Enrolled:
    """Sort a gallery by person and content.

    Raises:
        ValueError: for embeddings that are zero or not finite, an empty gallery, or people that are not one
            number of 0 or more for each photo.
    """
    rows = unit_rows(embeddings, "gallery")
    owners = np.asarray(people)
    if owners.shape != rows.shape[:1] or owners.size == 0:
        raise ValueError(f"the gallery names {owners.size} people on {rows.shape[0]} photos")
    if owners.dtype.kind not in "iu" or owners.min() < 0:
        raise ValueError("the gallery must name everybody by a whole number of 0 or more")
    place = np.empty(owners.size, np.int64)
    place[content_order(rows, 0)] = np.arange(owners.size)
    order = np.lexsort((place, owners))
    names, person = np.unique(owners[order], return_inverse=True)
    return Enrolled(rows[order], person, names.astype(np.int64))


def checked(probes: Embeddings, gallery: Gallery, top: int) -> tuple[Floats32, Enrolled]:
    """The arguments of `Identifier.rank`, checked: unit rows of the probes, and the gallery sorted.

    Raises:
        ValueError: as in `enrolled`, for probes that are zero or not finite, dimensions that differ, or top
            below 1.
    """
    if top < 1:
        raise ValueError(f"top must be at least 1, got {top}")
    rows = unit_rows(probes, "probes")
    enrolment = enrolled(gallery.embeddings, gallery.people)
    dimensions = enrolment.rows.shape[1]
    if rows.shape[1] != dimensions:
        raise ValueError(f"probes have {rows.shape[1]} dimensions, the gallery {dimensions}")
    return rows, enrolment


def named(scores: npt.NDArray[np.floating], people: Ints, top: int, threshold: float | None) -> Ints:
    """The people in decreasing order of score; of equal scores the person with the lower number comes first.

    Args:
        scores: [probe, person].
        people: The increasing numbers of the people.
        top: The number of people to name.
        threshold: The score up to which a probe is rejected, and its row is -1; None rejects no probe.

    Returns:
        int [probe, top], filled up with -1.
    """
    ranked = np.full((scores.shape[0], top), -1, np.int64)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :top]
    ranked[:, : best.shape[1]] = people[best]
    if threshold is not None:
        ranked[scores.max(axis=1) <= threshold] = -1
    return ranked


def ranking(scorer: Scorer, probes: Floats32, people: Ints, top: int, threshold: float | None) -> Ints:
    """`named`, a block of probes at a time."""
    ranked = np.full((probes.shape[0], top), -1, np.int64)
    step = block_rows(people.size)
    for start in range(0, probes.shape[0], step):
        part = slice(start, start + step)
        ranked[part] = named(scorer(probes[part]), people, top, threshold)
    return ranked


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Calibration identities: some of their photos are a gallery, the others are probes.

    Attributes:
        gallery: The first, third, … photo of every person. A person with one photo is in the gallery only.
        probes: Unit rows of the second, fourth, … photos.
        truth: int [probe], the position of the probe's person in `gallery.people`.
    """

    gallery: Enrolled
    probes: Floats32
    truth: Ints

    def rank_one(self, scorer: Scorer) -> float:
        """Rank-1 identification rate in [0, 1]: the mean over people of the share of probes named rightly."""
        first = [scorer(self.probes[i : i + 512]).argmax(axis=1) for i in range(0, len(self.probes), 512)]
        hits = np.bincount(self.truth, weights=np.concatenate(first) == self.truth)
        tries = np.bincount(self.truth)
        return float((hits[tries > 0] / tries[tries > 0]).mean())


def held_out(embeddings: Embeddings, people: Labels) -> HeldOut:
    """Split calibration photos by their contents; at least one person needs two photos.

    Raises:
        ValueError: as in `enrolled`.
    """
    everybody = enrolled(embeddings, people)
    first = np.searchsorted(everybody.person, everybody.person)
    probe = (np.arange(everybody.person.size) - first) % 2 == 1
    gallery = Enrolled(everybody.rows[~probe], everybody.person[~probe], everybody.people)
    return HeldOut(gallery, everybody.rows[probe], everybody.person[probe])
