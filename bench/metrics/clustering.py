"""What clustering an assignment of photos to clusters achieved: pure functions of arrays.

One convention: `labels` (or `guess`) int [photo] with -1 for noise, `owners` (or `truth`) int [photo]. A
photo in which no face was found has label -1 and stays in every denominator. Memory is linear in photos.
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
    "coverage_curve",
    "formation_bounds",
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
    support: int = 3,
    purity: float = 0.5,
    coverage: float = 0.5,
) -> Score:
    """CFR: the share of users whose released photos form an identifiable cluster. Lower is better for them.

    A user counts when one cluster (never noise) holds at least `support` of the user's released photos, is
    the user's by more than `purity`, and covers at least `coverage` of what the user released. With `linked`
    this is CFR-link: the cluster must also hold one of the user's linked photos, and those count for purity.
    The interval is Wilson's 95 % over users. For the strict criterion, other thresholds or F_u of each user,
    see `cluster_formation`, `formed` and `formation_rate`.

    Args:
        labels: int [photo], the cluster of each photo, -1 for noise.
        owners: int [photo], who is on it.
        users: int [user], the protected identities.
        released: bool [photo]; by default every photo that is not linked.
        linked: bool [photo], clean labelled photos that the attacker holds.
        support: photos.
        purity: in [0, 1], must be exceeded.
        coverage: in [0, 1], must be reached.

    Raises:
        ValueError: as in `cluster_formation`.
    """
    table = cluster_formation(labels, owners, users, released=released, linked=linked)
    return formation_rate(table, Criterion(support, purity, coverage))
