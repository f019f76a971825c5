"""Metrics of an assignment of photos to clusters. All are pure functions of arrays.

The arguments follow one convention. `labels` (or `guess`) is int [photo], and -1 means noise. `owners` (or
`truth`) is int [photo]. A photo in which no face was found has the label -1 and stays in every denominator.
Memory is linear in photos.
"""

from __future__ import annotations

import numpy.typing as npt

from bench.metrics._agreement import (
    Agreement,
    bcubed,
    bcubed_objective,
    best_match_f1,
    cluster_count,
    contamination,
    contamination_bounds,
    mean_best_match_f1,
    noise_share,
    pairwise,
    pairwise_precision,
    pairwise_recall,
    v_measure,
)
from bench.metrics._formation import (
    PROTOCOL,
    STRICT,
    Criterion,
    FormationTable,
    cluster_formation,
    coverage_curve,
    formation_bounds,
    formation_extremes,
    formation_rate,
    formed,
)
from bench.types import Score

__all__ = [
    "PROTOCOL",
    "STRICT",
    "Agreement",
    "Criterion",
    "FormationTable",
    "bcubed",
    "bcubed_objective",
    "best_match_f1",
    "cluster_count",
    "cluster_formation",
    "cluster_formation_rate",
    "contamination",
    "contamination_bounds",
    "coverage_curve",
    "formation_bounds",
    "formation_extremes",
    "formation_rate",
    "formed",
    "mean_best_match_f1",
    "noise_share",
    "pairwise",
    "pairwise_precision",
    "pairwise_recall",
    "v_measure",
]


def cluster_formation_rate(
    labels: npt.ArrayLike,
    owners: npt.ArrayLike,
    users: npt.ArrayLike,
    *,
    released: npt.ArrayLike | None = None,
    linked: npt.ArrayLike | None = None,
    support: int = PROTOCOL.support,
    purity: float = PROTOCOL.purity,
    coverage: float = PROTOCOL.coverage,
) -> Score:
    """CFR: the share of users whose released photos form an identifiable cluster.

    A lower rate protects better. A user counts when one cluster, which is not noise, meets three conditions.
    It holds at least `support` of the user's released photos. The user's share of it exceeds `purity`. It
    holds at least the share `coverage` of the user's released photos. With `linked` the rate is CFR-link: the
    cluster must also hold one of the user's linked photos, and linked photos count for purity. The interval
    is Wilson's 95 % interval over users. For the strict criterion, other thresholds or F_u of each user, see
    `cluster_formation`, `formed` and `formation_rate`.

    Args:
        labels: int [photo], the cluster of each photo; -1 means noise.
        owners: int [photo], the person on each photo.
        users: int [user], the protected identities.
        released: bool [photo], the released photos; by default every photo that is not linked.
        linked: bool [photo], clean labelled photos that the attacker holds.
        support: The least number of released photos in the cluster.
        purity: A share in [0, 1] that must be exceeded.
        coverage: A share in [0, 1] that must be reached.

    Raises:
        ValueError: As in `cluster_formation`.
    """
    table = cluster_formation(labels, owners, users, released=released, linked=linked)
    return formation_rate(table, Criterion(support, purity, coverage))
