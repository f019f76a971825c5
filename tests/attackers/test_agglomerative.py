"""Average linkage without a distance matrix: scikit-learn's partition, which has one."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import AgglomerativeClustering

from bench import registry
from bench.metrics.clustering import bcubed_objective

Agglomerative = registry.load("attackers", "agglomerative")


def groups(labels: np.ndarray) -> set[frozenset[int]]:
    """The partition, noise as clusters of one."""
    named = np.where(labels < 0, -2 - np.arange(labels.size), labels)
    return {frozenset(np.flatnonzero(named == name).tolist()) for name in np.unique(named)}


@pytest.mark.parametrize("dimensions", [3, 8, 64])
@pytest.mark.parametrize("distance", [0.05, 0.2, 0.5, 0.8, 0.95])
def test_the_partition_is_scikit_learns(dimensions: int, distance: float) -> None:
    rng = np.random.default_rng(dimensions)
    rows = rng.normal(size=(40, dimensions))[np.arange(240) % 40] + 0.7 * rng.normal(size=(240, dimensions))
    theirs = AgglomerativeClustering(
        n_clusters=None, metric="cosine", linkage="average", distance_threshold=distance
    )
    ours = Agglomerative(distance=distance).cluster(rows.astype(np.float32))
    assert groups(ours) == groups(theirs.fit_predict(rows))


def test_two_pairs_merge_only_if_they_are_alike_on_average() -> None:
    # Photos at 0, 20 and at 40, 60 degrees: the inner ends are 20 apart, but the mean cosine between the
    # pairs is (2 cos 40 + cos 60 + cos 20) / 4 = .743: a distance of .257.
    angle = np.radians([0, 20, 40.001, 60.001])
    rows = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    assert Agglomerative(distance=0.25).cluster(rows).tolist() == [0, 0, 1, 1]
    assert Agglomerative(distance=0.26).cluster(rows).tolist() == [0, 0, 0, 0]


def test_one_dendrogram_cut_at_every_candidate_is_clustering_at_every_candidate() -> None:
    rng = np.random.default_rng(6)
    people = np.repeat(np.arange(12), 7)
    rows = (rng.normal(size=(12, 16))[people] + 0.7 * rng.normal(size=(84, 16))).astype(np.float32)
    grid = Agglomerative().grid
    scores = [bcubed_objective(Agglomerative(distance=distance).cluster(rows), people) for distance in grid]
    chosen = Agglomerative().calibrated(rows, people, bcubed_objective)
    assert bcubed_objective(chosen.cluster(rows), people) == max(scores)
