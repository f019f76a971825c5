"""PLSCAN: the clusters are scikit-learn's leaves at the size at which leaves persist the most."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from planted import on_a_circle
from sklearn.cluster import HDBSCAN

from bench import registry
from bench.errors import UserError

Plscan = registry.load("attackers", "plscan")


def crowd(dimensions: int, spread: float, photos: int = 150) -> np.ndarray:
    rng = np.random.default_rng(dimensions)
    owners = rng.permutation(np.arange(photos) % 15 % rng.integers(9, 15))
    rows = rng.normal(size=(15, dimensions))[owners] + spread * rng.normal(size=(photos, dimensions))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


Leaves = set[frozenset[int]]


def groups(labels: np.ndarray) -> Leaves:
    return {frozenset(np.flatnonzero(labels == group).tolist()) for group in range(labels.max() + 1)}


def leaves_by_size(rows: np.ndarray, min_samples: int) -> dict[int, Leaves]:
    """Size of a cluster -> scikit-learn's leaves, up to the size from which there are none."""
    found: dict[int, Leaves] = {}
    for size in range(2, len(rows) // 2 + 2):
        leaf = HDBSCAN(
            min_cluster_size=size, min_samples=min_samples, cluster_selection_method="leaf", copy=True
        )
        found[size] = groups(leaf.fit_predict(rows.astype(np.float64)))
    assert not found[max(found)]  # a split leaves two clusters of a size each
    return found


@pytest.mark.parametrize(("dimensions", "spread"), [(3, 0.3), (8, 0.5), (16, 0.9), (64, 1.0)])
@pytest.mark.parametrize("min_samples", [1, 2])
def test_the_clusters_are_the_leaves_that_persist_the_most(
    dimensions: int, spread: float, min_samples: int
) -> None:
    rows = crowd(dimensions, spread)
    by_size = leaves_by_size(rows, min_samples)
    persistence = Counter(leaf for leaves in by_size.values() for leaf in leaves)
    total = {size: sum(persistence[leaf] for leaf in leaves) for size, leaves in by_size.items()}
    most = max(total, key=lambda size: total[size])  # the least of equally good sizes
    assert groups(Plscan(min_samples).cluster(rows)) == by_size[most]


def test_people_who_fall_into_parts_stay_whole_where_the_whole_persists_longer() -> None:
    # Two people of two and three photos. The parts are leaves for one size, 2, and persist 1 each: 4 in all.
    # The people are leaves for the sizes 3, 4 and 5: 6 in all.
    five = np.array([0, 1, 10, 11, 12.5])
    assert Plscan(1).cluster(on_a_circle(*five, *(90 + 1.1 * five))).tolist() == [0] * 5 + [1] * 5
    # With four photos, two and two, parts and people persist 4 each. The smaller size is taken.
    four = five[:4]
    assert Plscan(1).cluster(on_a_circle(*four, *(90 + four))).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize(
    ("parameters", "line"),
    [({"min_samples": 0}, "min_samples 0 is below 1"), ({"samples_grid": ()}, "samples_grid 0 is below 1")],
)
def test_parameters_out_of_range_are_the_users_mistake(parameters: dict[str, Any], line: str) -> None:
    with pytest.raises(UserError, match=line):
        Plscan(**{"min_samples": 3} | parameters).cluster(crowd(8, 0.5, 20))


def test_it_is_tuned_before_it_is_used() -> None:
    rows = crowd(16, 0.5)
    with pytest.raises(ValueError, match="no min_samples yet"):
        Plscan().cluster(rows)
    assert Plscan(samples_grid=(2,)).calibrated(rows, np.arange(150) % 15, lambda *_: 1.0).min_samples == 2
