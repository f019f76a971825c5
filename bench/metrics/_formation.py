"""Does a user's set of released photos form a cluster? The counts behind CFR, for any threshold."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from bench.metrics._partition import NOISE, cluster_labels, mask, same_length, whole_numbers
from bench.types import Floats, Ints, Mask, Score
from bench.uncertainty.intervals import wilson


@dataclass(frozen=True, slots=True)
class Criterion:
    """When a cluster counts as a user's: all three conditions, on one cluster that is not noise.

    Attributes:
        support: at least this many of the user's released photos.
        purity: more than this share of the cluster is the user's.
        coverage: at least this share of the user's released photos.
        purity_reached: a purity equal to the threshold is enough.
    """

    support: int = 3
    purity: float = 0.5
    coverage: float = 0.5
    purity_reached: bool = False


PROTOCOL = Criterion()
"""Of metric `cfr` and `cfr_link`."""

STRICT = Criterion(purity=0.8, coverage=0.8, purity_reached=True)
"""Of metric `cfr_strict`."""


@dataclass(frozen=True, slots=True)
class FormationTable:
    """Every (user, cluster) pair that shares a released photo: enough to recompute F_u for any threshold.

    The first five arrays have one entry per user and describe that user's best cluster: most support, then
    (where `linking`) one that holds a linked photo, then highest purity, then lowest label. The `row_*`
    arrays have one entry per pair, ordered by user and then label.

    Attributes:
        users: [user] the identities, in the order they were given.
        released: [user] m, how many photos the user released, detected or not.
        support: [user] released photos in the best cluster; 0 when all are noise.
        purity: [user] the user's share of that cluster; 0 without one.
        coverage: [user] support / m.
        row_user: [pair] index into `users`.
        row_cluster: [pair] the cluster's label.
        row_support: [pair] the user's released photos in it.
        row_linked: [pair] the user's linked photos in it.
        row_size: [pair] everybody's photos in it.
        linking: whether linked photos were given: then a cluster must hold one, and they count for purity.
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
        """[pair] the user's share of the cluster: released photos, and linked ones where `linking`."""
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
    """Count, for every user and cluster, what decides whether the user formed a cluster.

    Args:
        labels: int [photo], the cluster of each photo, -1 for noise and for photos without a detected face.
        owners: int [photo], who is on it.
        users: int [user], the protected identities, each once.
        released: bool [photo], the photos that the users released (only those of `users` matter); by default
            all of theirs that are not linked.
        linked: bool [photo], clean labelled photos of the users that the attacker holds (scenario `linked`).

    Raises:
        ValueError: for arrays of other types or lengths, no users, a user named twice or without a released
            photo, or a photo that is both released and linked.
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
    """Every (user, cluster) pair that shares a photo, the cluster's size, and the photos of each mask."""
    names, dense = np.unique(labels, return_inverse=True)
    sizes = np.bincount(dense)
    theirs = (person >= 0) & (labels != NOISE)
    pairs, pair = np.unique(person[theirs] * names.size + dense[theirs], return_inverse=True)
    place = pairs % names.size
    counts = {n: np.bincount(pair[which[theirs]], minlength=pairs.size) for n, which in counted.items()}
    return {"user": pairs // names.size, "cluster": names[place], "size": sizes[place], **counts}


def _position(owners: Ints, users: Ints) -> Ints:
    """For each photo the position of its owner in `users`, or -1."""
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
    """F_u for every user: does some cluster meet all conditions?

    Ratios are compared as correctly rounded quotients, so that 4 of 5 reaches a threshold of .8 exactly.

    Returns:
        bool [user], in the order of `table.users`.
    """
    purity = table.row_purity
    pure = purity >= criterion.purity if criterion.purity_reached else purity > criterion.purity
    covered = table.row_support / table.released[table.row_user] >= criterion.coverage
    met = pure & covered & (table.row_support >= criterion.support)
    if table.linking:
        met &= table.row_linked > 0
    result = np.zeros(table.users.size, np.bool_)
    result[table.row_user[met]] = True
    return result


def formation_rate(
    table: FormationTable, criterion: Criterion = PROTOCOL, *, name: str | None = None
) -> Score:
    """The share of users who form a cluster, with its Wilson interval over users.

    Args:
        table: from `cluster_formation`.
        criterion: `PROTOCOL`, `STRICT` or another.
        name: by default `cfr_strict` for `STRICT`, otherwise `cfr`; with linked photos `cfr_link` and
            `cfr_link_strict`.
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

    Best: none of them is in any cluster. Worst: all of them are in the one cluster where that helps the
    attacker most, or make one of their own. Everybody else's photos stay as they were seen.

    Args:
        labels: as for `cluster_formation`.
        owners: as for `cluster_formation`.
        users: as for `cluster_formation`.
        unsure: bool [photo], released photos whose place says nothing: not detected, say, or over budget.
        released: as for `cluster_formation`.
        linked: as for `cluster_formation`.
        criterion: as in `formed`.

    Returns:
        The rate at best, which is the lower one, and at worst.

    Raises:
        ValueError: as in `cluster_formation`, or for a mask of another length.
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
    worst = formed(most, criterion) | alone
    return float(formed(least, criterion).mean()), float(worst.mean())


def coverage_curve(
    table: FormationTable, thresholds: npt.ArrayLike | None = None, criterion: Criterion = PROTOCOL
) -> tuple[Floats, Floats]:
    """Cluster-formation rate as a function of the coverage that a cluster must reach.

    Args:
        table: from `cluster_formation`.
        thresholds: [t] in [0, 1]; by default .05, .10, … 1.
        criterion: its support and purity are kept.

    Returns:
        The thresholds [t] and the rate at each [t].

    Raises:
        ValueError: for a threshold outside [0, 1] or NaN.
    """
    steps = np.arange(1, 21) / 20 if thresholds is None else np.asarray(thresholds, np.float64)
    if steps.ndim != 1 or not np.all((steps >= 0) & (steps <= 1)):
        raise ValueError("coverage thresholds must be a list of numbers in [0, 1]")
    rates = [formed(table, replace(criterion, coverage=float(step))).mean() for step in steps]
    return steps, np.array(rates, np.float64)
