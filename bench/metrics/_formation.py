"""The counts behind CFR: does a user's set of released photos form a cluster, for any threshold?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from bench.metrics._partition import NOISE, cluster_labels, mask, same_length, whole_numbers
from bench.types import Floats, Ints, Mask, Score
from bench.uncertainty.intervals import wilson


@dataclass(frozen=True, slots=True)
class Criterion:
    """The conditions under which a cluster is a user's. One cluster that is not noise must meet all of them.

    Attributes:
        support: The least number of the user's released photos in the cluster.
        purity: The user's share of the cluster must exceed this number in [0, 1].
        coverage: The cluster's share of the user's released photos must reach this number in [0, 1].
        purity_reached: Whether a purity that equals the threshold is enough.
    """

    support: int = 3
    purity: float = 0.5
    coverage: float = 0.5
    purity_reached: bool = False

    def met(self, support: Ints | Floats, purity: Floats, coverage: Floats) -> Mask:
        """Whether each cluster meets all three conditions.

        Ratios are compared as correctly rounded quotients, so that 4 of 5 reaches a threshold of .8 exactly.

        Args:
            support: [cluster], the user's released photos in it.
            purity: float [cluster], the user's share of it, in [0, 1].
            coverage: float [cluster], the share of the user's released photos that it holds, in [0, 1].
        """
        pure = purity >= self.purity if self.purity_reached else purity > self.purity
        return pure & (coverage >= self.coverage) & (support >= self.support)


PROTOCOL = Criterion()
"""The criterion of the metrics `cfr` and `cfr_link`."""

STRICT = Criterion(purity=0.8, coverage=0.8, purity_reached=True)
"""The criterion of the metrics `cfr_strict` and `cfr_link_strict`."""


@dataclass(frozen=True, slots=True)
class FormationTable:
    """Every pair of a user and a cluster that share a released photo. F_u follows from it for any threshold.

    The first five arrays have one entry a user, and three of them describe the user's best cluster. The best
    cluster has the most support; among equals it holds a linked photo (where `linking`), then has the highest
    purity, then the lowest label. The `row_*` arrays have one entry a pair, ordered by user and then by
    label.

    Attributes:
        users: int64 [user], the identities, in the order in which they were given.
        released: int64 [user], m: the number of photos the user released, detected or not.
        support: int64 [user], the released photos in the best cluster; 0 when all are noise.
        purity: float64 [user], the user's share of that cluster; 0 without a cluster.
        coverage: float64 [user], support / m.
        row_user: int64 [pair], the user's position in `users`.
        row_cluster: int64 [pair], the cluster's label.
        row_support: int64 [pair], the user's released photos in the cluster.
        row_linked: int64 [pair], the user's linked photos in the cluster.
        row_size: int64 [pair], all photos in the cluster.
        linking: Whether linked photos were given. Then a cluster must hold one, and linked photos count for
            purity.
    """

    users: Ints
    released: Ints
    support: Ints
    purity: Floats
    coverage: Floats
    row_user: Ints
    row_cluster: Ints
    row_support: Ints
    row_linked: Ints
    row_size: Ints
    linking: bool

    @property
    def row_purity(self) -> Floats:
        """The user's share of each cluster, float64 [pair]; linked photos count where `linking`."""
        own = self.row_support + self.row_linked if self.linking else self.row_support
        return own / self.row_size


def cluster_formation(
    labels: npt.ArrayLike,
    owners: npt.ArrayLike,
    users: npt.ArrayLike,
    *,
    released: npt.ArrayLike | None = None,
    linked: npt.ArrayLike | None = None,
) -> FormationTable:
    """Count everything that decides whether a user formed a cluster, for every user and cluster.

    Args:
        labels: int [photo], the cluster of each photo; -1 means noise, and a photo without a detected face.
        owners: int [photo], the person on each photo.
        users: int [user], the protected identities, each once.
        released: bool [photo], the photos that the users released. Other people's entries do not matter. By
            default these are all photos of the users that are not linked.
        linked: bool [photo], clean labelled photos of the users that the attacker holds (scenario `linked`).

    Raises:
        ValueError: An array has another type or length, there are no users, a user is named twice or has no
            released photo, or a photo is both released and linked.
    """
    labels, owners = cluster_labels(labels), whole_numbers(owners, "owners")
    users = whole_numbers(users, "users")
    n = same_length(labels=labels, owners=owners)
    links = mask(linked, "linked", n, default=False)
    shown = ~links if released is None else mask(released, "released", n)
    person = _position(owners, users)
    if np.any(shown & links & (person >= 0)):
        raise ValueError("a photo cannot be both released and linked")
    m = np.bincount(person[shown & (person >= 0)], minlength=users.size)
    if np.any(m == 0):
        raise ValueError(f"user {users[np.argmin(m)]} has no released photo")

    pairs = _pairs(labels, person, users.size, shown=shown, links=links)
    kept = pairs["shown"] > 0
    nothing = np.zeros(users.size)
    table = FormationTable(
        users=users,
        released=m,
        support=nothing.astype(np.int64),
        purity=nothing,
        coverage=nothing,
        row_user=pairs["user"][kept],
        row_cluster=pairs["cluster"][kept],
        row_support=pairs["shown"][kept],
        row_linked=pairs["links"][kept],
        row_size=pairs["size"][kept],
        linking=linked is not None,
    )
    return _with_best(table)


def _pairs(labels: Ints, person: Ints, users: int, **counted: Mask) -> dict[str, Ints]:
    """Every pair of a user and a cluster that share a photo: the cluster's size, the photos of each mask."""
    names, dense = np.unique(labels, return_inverse=True)
    sizes = np.bincount(dense)
    theirs = (person >= 0) & (labels != NOISE)
    pairs, pair = np.unique(person[theirs] * names.size + dense[theirs], return_inverse=True)
    place = pairs % names.size
    counts = {n: np.bincount(pair[which[theirs]], minlength=pairs.size) for n, which in counted.items()}
    return {"user": pairs // names.size, "cluster": names[place], "size": sizes[place], **counts}


def _position(owners: Ints, users: Ints) -> Ints:
    """The position in `users` of each photo's owner, or -1."""
    if users.size == 0:
        raise ValueError("users is empty")
    order = np.argsort(users, kind="stable")
    ranked = users[order]
    if np.any(ranked[1:] == ranked[:-1]):
        raise ValueError("users names somebody twice")
    place = np.minimum(np.searchsorted(ranked, owners), users.size - 1)
    return np.where(ranked[place] == owners, order[place], -1)


def _with_best(table: FormationTable) -> FormationTable:
    if table.row_user.size == 0:
        return table
    purity = table.row_purity
    linked = table.row_linked > 0 if table.linking else np.zeros(purity.size, np.bool_)
    keys = (table.row_cluster, -purity, ~linked, -table.row_support, table.row_user)
    order = np.lexsort(keys)
    clustered, first = np.unique(table.row_user[order], return_index=True)
    best = order[first]
    support, pure = table.support.copy(), table.purity.copy()
    support[clustered], pure[clustered] = table.row_support[best], purity[best]
    return replace(table, support=support, purity=pure, coverage=support / table.released)


def formed(table: FormationTable, criterion: Criterion = PROTOCOL) -> Mask:
    """F_u of every user: does one cluster meet all conditions?

    Args:
        table: The counts, from `cluster_formation`.
        criterion: `PROTOCOL`, `STRICT` or another criterion.

    Returns:
        bool [user], in the order of `table.users`.
    """
    coverage = table.row_support / table.released[table.row_user]
    met = criterion.met(table.row_support, table.row_purity, coverage)
    if table.linking:
        met &= table.row_linked > 0
    result = np.zeros(table.users.size, np.bool_)
    result[table.row_user[met]] = True
    return result


def formation_rate(
    table: FormationTable, criterion: Criterion = PROTOCOL, *, name: str | None = None
) -> Score:
    """The share of users who form a cluster, in [0, 1], with its Wilson interval over users.

    Args:
        table: The counts, from `cluster_formation`.
        criterion: `PROTOCOL`, `STRICT` or another criterion.
        name: The score's name. By default it is `cfr_strict` for `STRICT` and `cfr` otherwise; with linked
            photos it is `cfr_link_strict` or `cfr_link`.
    """
    hits, n = int(formed(table, criterion).sum()), table.users.size
    default = ("cfr_link" if table.linking else "cfr") + ("_strict" if criterion == STRICT else "")
    return Score(name or default, hits / n, *wilson(hits, n), n, "lower")


def formation_bounds(
    labels: npt.ArrayLike,
    owners: npt.ArrayLike,
    users: npt.ArrayLike,
    unsure: npt.ArrayLike,
    *,
    released: npt.ArrayLike | None = None,
    linked: npt.ArrayLike | None = None,
    criterion: Criterion = PROTOCOL,
) -> tuple[float, float]:
    """Cluster-formation rate if each user's unsure photos had gone best, and worst, for that user.

    The arguments and the errors are those of `formation_extremes`.

    Returns:
        The rate in the best case, which is the lower one, and in the worst case.
    """
    best, worst = formation_extremes(
        labels, owners, users, unsure, released=released, linked=linked, criterion=criterion
    )
    return float(best.mean()), float(worst.mean())


def formation_extremes(
    labels: npt.ArrayLike,
    owners: npt.ArrayLike,
    users: npt.ArrayLike,
    unsure: npt.ArrayLike,
    *,
    released: npt.ArrayLike | None = None,
    linked: npt.ArrayLike | None = None,
    criterion: Criterion = PROTOCOL,
) -> tuple[Mask, Mask]:
    """F_u of every user if this user's unsure photos had gone best, and worst, for the user.

    Best: no unsure photo is in any cluster. Worst: all unsure photos are in the one cluster where they help
    the attacker most, or form a cluster of their own. Everybody else's photos stay as they were seen.

    Args:
        labels: As for `cluster_formation`.
        owners: As for `cluster_formation`.
        users: As for `cluster_formation`.
        unsure: bool [photo], released photos whose place says nothing, such as undetected or over-budget
            ones.
        released: As for `cluster_formation`.
        linked: As for `cluster_formation`.
        criterion: As in `formed`.

    Returns:
        bool [user] in the best case, and bool [user] in the worst case.

    Raises:
        ValueError: As in `cluster_formation`, or a mask has another length.
    """
    table = cluster_formation(labels, owners, users, released=released, linked=linked)
    labels, owners = cluster_labels(labels), whole_numbers(owners, "owners")
    links = mask(linked, "linked", labels.size, default=False)
    shown = ~links if released is None else mask(released, "released", labels.size)
    person = _position(owners, table.users)
    open_ = mask(unsure, "unsure", labels.size) & shown & (person >= 0)
    extra = np.bincount(person[open_], minlength=table.users.size)
    # pairs without a released photo count too: the unsure ones may join a user's linked photos
    pairs = _pairs(labels, person, table.users.size, sure=shown & ~open_, links=links, unsure=open_)
    least = replace(
        table,
        row_user=pairs["user"],
        row_cluster=pairs["cluster"],
        row_support=pairs["sure"],
        row_linked=pairs["links"],
        # a cluster of unsure photos alone is gone without them; a size of 1 keeps its purity, 0, defined
        row_size=np.maximum(pairs["size"] - pairs["unsure"], 1),
    )
    joined = extra[pairs["user"]]
    most = replace(
        least,
        row_support=pairs["sure"] + joined,
        row_size=np.maximum(pairs["size"] - pairs["unsure"] + joined, 1),
    )
    alone = (extra >= criterion.support) & (extra / table.released >= criterion.coverage)
    if table.linking:
        alone[:] = False
    return formed(least, criterion), formed(most, criterion) | alone


def coverage_curve(
    table: FormationTable, thresholds: npt.ArrayLike | None = None, criterion: Criterion = PROTOCOL
) -> tuple[Floats, Floats]:
    """Cluster-formation rate as a function of the coverage that a cluster must reach.

    Args:
        table: The counts, from `cluster_formation`.
        thresholds: float [t] in [0, 1]; by default .05, .10, … 1.
        criterion: The criterion whose support and purity are kept.

    Returns:
        The thresholds, float64 [t], and the rate at each, float64 [t].

    Raises:
        ValueError: A threshold lies outside [0, 1] or is NaN.
    """
    steps = np.arange(1, 21) / 20 if thresholds is None else np.asarray(thresholds, np.float64)
    if steps.ndim != 1 or not np.all((steps >= 0) & (steps <= 1)):
        raise ValueError("coverage thresholds must be a list of numbers in [0, 1]")
    rates = [formed(table, replace(criterion, coverage=float(step))).mean() for step in steps]
    return steps, np.array(rates, np.float64)
