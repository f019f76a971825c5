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
"""Unit rows of probes -> how likely each person is on each: [probe, person], larger is likelier."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The photos of a gallery, person by person.

    A person's photos lie in an order that their contents decide: how the gallery was listed cannot be read
    off, and does not change the last bit of what is learned from it.

    Attributes:
        rows: unit vectors [photo, dimension].
        person: int [photo], increasing: where in `people` the person is.
        people: increasing numbers of the people.
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


def asked(probes: Embeddings, gallery: Gallery, top: int) -> tuple[Floats32, Enrolled]:
    """What `Identifier.rank` is given, once it is seen to make sense.

    Raises:
        ValueError: as in `enrolled`, for probes that are zero or not finite, dimensions that differ, or top
            below 1.
    """
    if top < 1:
        raise ValueError(f"top must be at least 1, got {top}")
    rows = unit_rows(probes, "probes")
    held = enrolled(gallery.embeddings, gallery.people)
    if rows.shape[1] != held.rows.shape[1]:
        raise ValueError(f"probes have {rows.shape[1]} dimensions, the gallery {held.rows.shape[1]}")
    return rows, held


def named(scores: npt.NDArray[np.floating], people: Ints, top: int, threshold: float | None) -> Ints:
    """People in decreasing order of score; of equal ones the lower number first.

    Args:
        scores: [probe, person].
        people: increasing numbers of the people.
        top: how many to name.
        threshold: nobody is named, -1, where no score is above it; None names somebody always.

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
    """Calibration identities, some of their photos as a gallery and others as probes.

    Attributes:
        gallery: the first, third, … photo of everybody. People with one photo are others to mistake for.
        probes: unit rows of the second, fourth, … photos.
        truth: int [probe]: where in `gallery.people` the person is.
    """

    gallery: Enrolled
    probes: Floats32
    truth: Ints

    def rank_one(self, scorer: Scorer) -> float:
        """Rank-1 identification rate in [0, 1]: the mean over people of the share of probes named rightly."""
        right = [scorer(self.probes[i : i + 512]).argmax(axis=1) for i in range(0, len(self.probes), 512)]
        hits = np.bincount(self.truth, weights=np.concatenate(right) == self.truth)
        tries = np.bincount(self.truth)
        return float((hits[tries > 0] / tries[tries > 0]).mean())


def held_out(embeddings: Embeddings, people: Labels) -> HeldOut:
    """Split calibration photos, by their contents; somebody needs two photos.

    Raises:
        ValueError: as in `enrolled`.
    """
    everybody = enrolled(embeddings, people)
    first = np.searchsorted(everybody.person, everybody.person)
    probe = (np.arange(everybody.person.size) - first) % 2 == 1
    gallery = Enrolled(everybody.rows[~probe], everybody.person[~probe], everybody.people)
    return HeldOut(gallery, everybody.rows[probe], everybody.person[probe])
