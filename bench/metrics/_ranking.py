"""The place of a person's own photos among everybody's, without holding all similarities at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from bench.types import Floats, Ints, Mask

Rows = npt.NDArray[np.float32]

_DIGITS = 1e6
"""Similarities that agree to six digits are ties: further digits depend on how a product was blocked."""


_BEYOND = 2.0
"""A cosine that no two photos have."""


@dataclass(frozen=True, slots=True)
class MateRanks:
    """What every query sees of its mates: [query, mate], padded to the most mates that anybody has.

    A mate of a query is another photo of the same person.

    Attributes:
        mates: bool [query, mate], whether there is a mate in this place.
        similarity: float64 [query, mate], the cosine with the mate; -inf where either photo has no face, or
            where there is no mate.
        above: float64 [query, mate], the number of other people's gallery photos that are more similar.
        tied: float64 [query, mate], the number of other people's gallery photos that are as similar.
    """

    mates: Mask
    similarity: Floats
    above: Floats
    tied: Floats


def rank_mates(
    queries: Rows,
    gallery: Rows,
    distractors: Rows,
    people: Ints,
    block: int,
    *,
    only_distractors: bool = False,
) -> MateRanks:
    """Compare every query with its mates, and its mates with everybody else's photos, block by block.

    Args:
        queries: float32 [photo, dimension], unit rows or NaN. Each row stands for the photo of that number.
        gallery: float32 [photo, dimension], the same photos in the version that is searched.
        distractors: float32 [distractor, dimension], photos of nobody in `people`.
        people: int64 [photo], numbered from 0; everybody has two photos or more.
        block: The number of rows of a side that are compared at once.
        only_distractors: Whether other users' photos stay out of the gallery.
    """
    n = len(queries)
    mate = _mates(people)
    has_mate = mate >= 0
    similarity = np.full(mate.shape, -np.inf)
    above, tied = np.zeros(mate.shape), np.zeros(mate.shape)
    for start in range(0, n, block):
        at = slice(start, start + block)
        rows = queries[at].astype(np.float64)
        near = np.stack([np.einsum("qd,qd->q", rows, gallery[m].astype(np.float64)) for m in mate[at].T], 1)
        similarity[at] = np.where(has_mate[at] & np.isfinite(near), near, -np.inf)
        digits = rounded(similarity[at])
        for other, whose in _blocks(gallery, distractors, people, block, only_distractors):
            far = rounded(rows @ other.T.astype(np.float64))
            # a person's own photos are mates or the query itself, and NaN compares as neither
            far[(people[at, None] == whose[None]) | ~np.isfinite(far)] = np.nan
            for m in range(mate.shape[1]):
                above[at, m] += (far > digits[:, m, None]).sum(1)
                tied[at, m] += (far == digits[:, m, None]).sum(1)
    return MateRanks(has_mate, similarity, above, tied)


def extremes(
    ranks: MateRanks, people: Ints, queries: Rows, gallery: Rows, open_queries: Mask, open_gallery: Mask
) -> tuple[MateRanks, MateRanks]:
    """What queries would see if all photos that are open were unlike everybody, and if unmistakable.

    Everybody else's photos stay as they were seen. A photo that is not open and has no face finds nothing and
    is not found, whatever the other one is.

    Args:
        ranks: What `rank_mates` gave.
        people: int64 [photo], as for `rank_mates`.
        queries: As for `rank_mates`.
        gallery: As for `rank_mates`.
        open_queries: bool [photo], queries whose place says nothing.
        open_gallery: bool [photo], gallery photos whose place says nothing.
    """
    mate = _mates(people)
    there = open_gallery | ~np.isnan(gallery).any(1)
    asked = open_queries | ~np.isnan(queries).any(1)
    opened = ranks.mates & (open_queries[:, None] | open_gallery[mate])
    found = opened & asked[:, None] & there[mate]
    least = replace(ranks, similarity=np.where(opened, -np.inf, ranks.similarity))
    most = MateRanks(
        ranks.mates,
        np.where(found, _BEYOND, ranks.similarity),
        np.where(found, 0.0, ranks.above),
        np.where(found, 0.0, ranks.tied),
    )
    return least, most


def _blocks(
    gallery: Rows, distractors: Rows, people: Ints, block: int, only_distractors: bool
) -> Iterator[tuple[Rows, Ints]]:
    """Yield the gallery in parts, and the person of each photo; -1 means a distractor."""
    if not only_distractors:
        for start in range(0, len(gallery), block):
            yield gallery[start : start + block], people[start : start + block]
    for start in range(0, len(distractors), block):
        part = distractors[start : start + block]
        yield part, np.full(len(part), -1, np.int64)


def _mates(people: Ints) -> Ints:
    """int64 [photo, most photos - 1]: the other photos of each photo's person, padded with -1."""
    photos = [np.flatnonzero(people == person) for person in range(int(people.max()) + 1)]
    mate = np.full((people.size, max(map(len, photos)) - 1), -1, np.int64)
    for own in photos:
        for i in own:
            mate[i, : len(own) - 1] = own[own != i]
    return mate


def within(ranks: MateRanks, k: int) -> Floats:
    """float64 [query]: the chance that a mate is among the first k, with ties in random order."""
    digits = rounded(ranks.similarity)
    best = digits.max(1)
    first = digits.argmax(1)[:, None]
    above = np.take_along_axis(ranks.above, first, 1)[:, 0]
    others = np.take_along_axis(ranks.tied, first, 1)[:, 0]
    mates = (digits == best[:, None]).sum(1)
    miss = np.ones(len(best))
    for place in range(k):
        # the next place among the tied ones goes to another person, as all before it did
        left = place - above
        open_place = left >= 0
        taken = np.maximum(left, 0)
        miss *= np.where(open_place, np.maximum(others - taken, 0) / np.maximum(others - taken + mates, 1), 1)
    return np.where(np.isfinite(best), 1 - miss, 0.0)


def average_precision(ranks: MateRanks) -> Floats:
    """float64 [query]: the mean over mates of the share of mates among all photos at least as similar."""
    digits = rounded(ranks.similarity)
    mates = (digits[:, None, :] >= digits[:, :, None]).sum(2)
    precision = mates / np.maximum(mates + ranks.above + ranks.tied, 1)
    mean: Floats = (precision * np.isfinite(digits)).sum(1) / ranks.mates.sum(1)
    return mean


def rounded(similarities: Floats) -> Floats:
    """Round similarities so that ties are equal; -inf and NaN stay."""
    whole: Floats = np.rint(similarities * _DIGITS)
    return whole
