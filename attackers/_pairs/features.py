"""What is known of a pair of photos from the lists of nearest neighbours of a collection.

Lists of a photo itself and its nearest neighbours say more than the cosine: a cloak moves a photo, but photos
of one person that it moves alike remain neighbours of each other, and have neighbours in common.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from bench.types import Floats, Ints, Mask

from .._embeddings.rows import Floats32
from .._graph.neighbours import listed_pairs
from .._graph.search import Numbers, cosines, nearest
from .._graph.searching import Searching

SHARED = (3, 6, 12, 24)
"""The lengths of lists that shared neighbours are counted on."""
DENSITY = (1, 3, 8, 24)
"""The numbers of nearest neighbours whose mean cosine tells how crowded the place of a photo is."""
AROUND = (2, 5)
"""The numbers of nearest neighbours whose mean stands for the place of a photo."""
FEATURES = (
    "cosine",
    "log of the lower rank",
    "log of the higher rank",
    *(f"share of {count} neighbours in common" for count in SHARED),
    *(f"{which} density of {count}" for count in DENSITY for which in ("lower", "higher")),
    *(
        f"{what} of {count}"
        for count in AROUND
        for what in ("lower cosine with neighbours", "higher cosine with neighbours", "cosine of means")
    ),
)
"""The name of each feature, in order."""
_AT_ONCE = 2**14  # pairs


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of photos, at least one of which is on the list of the other; each pair once.

    Attributes:
        rows: [photo, dimension], unit vectors.
        lists: [photo, k], the nearest other photos, nearest first; -1 where the search found fewer.
        alike: [photo, k], their cosines.
        left: int [pair], the lower photo.
        right: int [pair], the higher photo.
    """

    rows: Floats32
    lists: Numbers
    alike: Floats32
    left: Ints
    right: Ints

    @classmethod
    def of(cls, rows: Floats32, neighbours: int, search: Searching) -> Self:
        """The pairs on the lists of `neighbours` photos.

        Args:
            rows: [photo, dimension], unit vectors.
            neighbours: The length of a list.
            search: How neighbours are looked for.
        """
        lists, alike = nearest(rows, neighbours, search)
        left, right = listed_pairs(lists)
        return cls(rows, lists, alike, left, right)

    def features(self) -> Iterator[Floats]:
        """Blocks of pairs, in order: float64 [pair, feature], see `FEATURES`."""
        densities = [_mean(self.alike[:, :count], self.lists[:, :count] >= 0) for count in DENSITY]
        around = [(count, self._places(count)) for count in AROUND]
        for start in range(0, self.left.size, _AT_ONCE):
            a, b = self.left[start : start + _AT_ONCE], self.right[start : start + _AT_ONCE]
            ranks = _rank(self.lists[a], b), _rank(self.lists[b], a)
            columns = [cosines(self.rows, a, b), *np.log(_ordered(*ranks)), *self._shared(a, b)]
            for density in densities:
                columns += _ordered(density[a], density[b])
            for count, (sums, counts) in around:
                columns += self._near(a, b, count, sums, counts)
            yield np.stack(columns, axis=1).astype(np.float64)

    def _shared(self, a: Ints, b: Ints) -> list[Floats]:
        """How much of both lists is in common, each photo being on its own list: a share for each length."""
        longest = max(SHARED)
        first = np.concatenate([a[:, None], self.lists[a, :longest]], axis=1)
        second = np.concatenate([b[:, None], self.lists[b, :longest]], axis=1)
        same = (first[:, :, None] == second[:, None, :]) & (first[:, :, None] >= 0)
        return [same[:, : n + 1, : n + 1].sum(axis=(1, 2)) / (n + 1) for n in SHARED]

    def _places(self, count: int) -> tuple[Floats32, Ints]:
        """The sum of the nearest photos of each photo, and how many they are."""
        near = self.lists[:, :count]
        sums = np.zeros_like(self.rows)
        for column in near.T:
            sums += np.where(column[:, None] >= 0, self.rows[column], 0)
        return sums, (near >= 0).sum(axis=1)

    def _near(self, a: Ints, b: Ints, count: int, sums: Floats32, counts: Ints) -> list[Floats]:
        """How near each photo is to the neighbours of the other, itself left out; and both neighbourhoods."""
        found = []
        for one, other in ((a, b), (b, a)):
            itself = (self.lists[other, :count] == one[:, None]).any(axis=1)
            product = np.einsum("ij,ij->i", self.rows[one], sums[other]) - itself
            found.append(product / np.maximum(counts[other] - itself, 1))
        between = np.einsum("ij,ij->i", sums[a], sums[b]) / np.maximum(counts[a] * counts[b], 1)
        return [*_ordered(*found), between]


def _ordered(first: Floats, second: Floats) -> tuple[Floats, Floats]:
    return np.minimum(first, second), np.maximum(first, second)


def _rank(lists: Numbers, photo: Ints) -> Floats:
    """The place of a photo on a list, from 1; one behind the last where it is not on the list."""
    here = lists == photo[:, None]
    place = np.where(here.any(axis=1), here.argmax(axis=1), lists.shape[1])
    return np.asarray(place + 1, np.float64)


def _mean(values: Floats32, there: Mask) -> Floats:
    return np.asarray(np.where(there, values, 0).sum(axis=1) / np.maximum(there.sum(axis=1), 1), np.float64)
