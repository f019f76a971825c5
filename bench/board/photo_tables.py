"""What became of each released photo of a cell: from it follow other thresholds, and the worst case.

The file has the released photos alone, each with its cluster and that cluster's size. So the attacker's
collection is laid out again: released photos, as many photos of nobody as fill the clusters, and the users'
labelled photos where the file counts them. The metrics then say of it what they would say of the collection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bench.board.parquet import COUNT, LABEL, Held
from bench.metrics.clustering import (
    PROTOCOL,
    FormationTable,
    cluster_formation,
    formation_extremes,
)
from bench.types import Floats, Ints, Mask, Outcome

FILE = "photos.parquet"

LARGEST = 10_000_000
"""Photos of other people that are laid out: a table of few photos may claim clusters of any size."""

TEXTS = ("user", "outcome")
NUMBERS: Mapping[str, Held] = {
    "cluster": LABEL,
    "cluster_size": COUNT,
    "cluster_linked": COUNT,
    "rank": COUNT,
}
"""Column -> what it holds. `cluster_linked` counts the user's labelled photos in the photo's cluster."""


@dataclass(frozen=True, slots=True)
class PhotoTable:
    """The released photos of one cell.

    Attributes:
        user: int64 [photo], the position of the photo's user among the cell's users.
        sure: bool [photo], whether its outcome is `ok`.
        columns: name -> float64 [photo]; those of `NUMBERS` that the cell has.
    """

    user: Ints
    sure: Mask
    columns: Mapping[str, Floats]

    @classmethod
    def of(cls, table: Mapping[str, Any], users: Sequence[str]) -> PhotoTable:
        """A table out of columns; columns without any number are left out.

        Args:
            table: The columns of the file, of one cell.
            users: The cell's users.

        Raises:
            ValueError: A photo is of nobody, or a user has no photo.
        """
        place = {user: i for i, user in enumerate(users)}
        owners = [place.get(str(user), -1) for user in table["user"]]
        if set(owners) != set(range(len(users))):
            raise ValueError("its users are not those of the table of users")
        given = {name: np.asarray(table[name], np.float64) for name in NUMBERS if name in table}
        return cls(
            np.asarray(owners, np.int64),
            np.asarray([str(outcome) == Outcome.OK for outcome in table["outcome"]], bool),
            {name: values for name, values in given.items() if not np.isnan(values).all()},
        )

    @property
    def clustered(self) -> bool:
        """Whether the cell's attacker sorted photos into clusters."""
        return {"cluster", "cluster_size"} <= self.columns.keys()

    def formation(self, *, linking: bool = False) -> FormationTable:
        """The counts behind CFR, or behind CFR-link, for any support and coverage.

        They serve purities of at least one half.

        Raises:
            ValueError: The columns contradict each other.
        """
        collection = self.collection(linking=linking)
        return cluster_formation(collection.labels, collection.owners, self.users, **collection.masks)

    def formed_at_worst(self, *, linking: bool = False) -> Floats:
        """Who would be clustered if the photos that are not ok had gone worst: float64 [user], 0 or 1.

        For CFR-link it is an upper bound: the file has no clusters of labelled photos alone, or, where it is
        old, no labelled photos at all.

        Raises:
            ValueError: The columns contradict each other.
        """
        known = "cluster_linked" in self.columns
        collection = self.collection(linking=linking and known)
        criterion = PROTOCOL if known or not linking else replace(PROTOCOL, purity=0.0)
        unsure = np.zeros(collection.labels.size, bool)
        unsure[: self.sure.size] = ~self.sure
        _, worst = formation_extremes(
            collection.labels, collection.owners, self.users, unsure, **collection.masks, criterion=criterion
        )
        unsure_photos = np.bincount(self.user, weights=~self.sure)
        share = unsure_photos / np.bincount(self.user)
        joined = (unsure_photos >= PROTOCOL.support) & (share >= PROTOCOL.coverage)
        return (worst | (joined if linking else False)).astype(np.float64)

    def named_at_worst(self) -> Floats:
        """The share of each user's photos that would not be named if all that are not ok were; [user]."""
        rank = self.columns["rank"]
        named = (rank == 1) | ~self.sure
        share: Floats = np.bincount(self.user, weights=named) / np.bincount(self.user)
        return 1 - share

    def doubtful(self) -> Mask:
        """Bool [user]: whether any photo of the user is not ok."""
        return np.bincount(self.user, weights=~self.sure) > 0

    @property
    def users(self) -> Ints:
        """Int64 [user], the positions of the cell's users."""
        return np.arange(self.user.max() + 1)

    def collection(self, *, linking: bool, whole: bool = False) -> Collection:
        """The attacker's collection, laid out again: see this module.

        Args:
            linking: Whether labelled photos of users are laid out, too.
            whole: Whether all photos of nobody are. Otherwise a cluster has so many that no user has a
                majority in it, which is all that the formation rate asks for.

        Raises:
            ValueError: The columns contradict each other, or claim more than `LARGEST` photos.
        """
        labels = self.columns["cluster"].astype(np.int64)
        sizes = self.columns["cluster_size"].astype(np.int64)
        clustered = labels >= 0
        names, first, released = np.unique(labels[clustered], return_index=True, return_counts=True)
        if (sizes[clustered] != sizes[clustered][first][np.searchsorted(names, labels[clustered])]).any():
            raise ValueError("it gives a cluster two sizes")
        theirs = np.zeros(0, np.int64)
        named = np.zeros(0, np.int64)
        if linking:
            theirs, named = self._labelled(labels, clustered)
        held = released + np.array([(named == name).sum() for name in names], np.int64)
        nobody = sizes[clustered][first] - held
        if (nobody < 0).any():
            raise ValueError("a cluster holds more photos than its size says")
        if not whole:
            nobody = np.minimum(nobody, labels.size + theirs.size + 1)
        elif nobody.sum() > LARGEST:
            raise ValueError(f"its clusters hold more than {LARGEST} photos of other people")
        strangers = int(self.user.max()) + 1
        return Collection(
            labels=np.concatenate([labels, named, np.repeat(names, nobody)]),
            owners=np.concatenate([self.user, theirs, np.full(int(nobody.sum()), strangers)]),
            released=labels.size,
            linked=theirs.size if linking else None,
        )

    def _labelled(self, labels: Ints, clustered: Mask) -> tuple[Ints, Ints]:
        """The owner and the cluster of each labelled photo that lies with a released one of its user."""
        counts = self.columns["cluster_linked"].astype(np.int64)
        pairs, first = np.unique(
            np.stack([self.user[clustered], labels[clustered]]), axis=1, return_index=True
        )
        many = counts[clustered][first]
        return np.repeat(pairs[0], many), np.repeat(pairs[1], many)


@dataclass(frozen=True, slots=True)
class Collection:
    """Released photos, then labelled ones, then those of nobody.

    Attributes:
        labels: int64 [photo].
        owners: int64 [photo].
        released: How many are released.
        linked: How many are labelled; None where they do not count.
    """

    labels: Ints
    owners: Ints
    released: int
    linked: int | None

    @property
    def masks(self) -> dict[str, Mask]:
        """The arguments `released`, and `linked` where labelled photos count."""
        place = np.arange(self.labels.size)
        masks = {"released": place < self.released}
        if self.linked is not None:
            masks["linked"] = (place >= self.released) & (place < self.released + self.linked)
        return masks
