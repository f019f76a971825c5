"""HDBSCAN: the spanning tree is exact, the clusters are scikit-learn's where no distances tie."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bench.attackers._graph import spanning
from bench.attackers._graph.searching import Searching
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import pdist, squareform
from sklearn.cluster import HDBSCAN
from sklearn.metrics import adjusted_rand_score

from bench import registry
from bench.errors import UserError

Hdbscan = registry.load("attackers", "hdbscan")


def crowd(dimensions: int, spread: float, photos: int = 400) -> np.ndarray:
    rng = np.random.default_rng(dimensions)
    owners = rng.permutation(np.arange(photos) % (photos // 10))
    rows = rng.normal(size=(photos // 10, dimensions))[owners] + spread * rng.normal(
        size=(photos, dimensions)
    )
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def singles_apart(labels: np.ndarray) -> np.ndarray:
    return np.where(labels < 0, labels.size + np.arange(labels.size), labels)


@pytest.mark.parametrize(("contracted", "listed"), [(8192, 16), (8192, 3), (30, 3), (1, 16)])
@pytest.mark.parametrize("min_samples", [1, 2, 4])
def test_the_tree_is_a_minimum_one_however_it_was_found(
    monkeypatch: pytest.MonkeyPatch, contracted: int, listed: int, min_samples: int
) -> None:
    # Lists alone, lists and one pass over all pairs, and several passes: three ways to one tree.
    monkeypatch.setattr(spanning, "_CONTRACTED", contracted)
    monkeypatch.setattr(spanning, "LISTED", listed)
    rows = crowd(8, 0.6)
    apart = squareform(pdist(rows.astype(np.float64)))
    core = np.sort(apart, axis=1)[:, min_samples - 1]
    reach = np.maximum(np.maximum(apart, core[:, None]), core[None])
    np.fill_diagonal(reach, 0)
    tree = spanning.spanning_tree(rows, spanning.neighbour_lists(rows, min_samples, Searching()), min_samples)
    ours = coo_array((tree.length, (tree.left, tree.right)), shape=reach.shape)
    # Edges join the photos that they say they join.
    assert np.allclose(reach[tree.left, tree.right], tree.length, atol=1e-5)
    assert minimum_spanning_tree(ours).sum() == pytest.approx(minimum_spanning_tree(reach).sum(), rel=1e-5)


@pytest.mark.parametrize(("dimensions", "spread"), [(3, 0.3), (8, 0.5), (16, 0.9), (64, 1.0)])
@pytest.mark.parametrize("selection", ["eom", "leaf"])
@pytest.mark.parametrize("size", [2, 3, 5])
@pytest.mark.parametrize("min_samples", [1, 2])
def test_the_partition_is_scikit_learns(
    dimensions: int, spread: float, size: int, min_samples: int, selection: str
) -> None:
    rows = crowd(dimensions, spread)
    theirs = HDBSCAN(
        min_cluster_size=size, min_samples=min_samples, cluster_selection_method=selection, copy=True
    )
    expected = theirs.fit_predict(rows.astype(np.float64))
    ours = Hdbscan(size, min_samples, selection).cluster(rows)
    assert np.array_equal(ours == -1, expected == -1)
    assert adjusted_rand_score(singles_apart(ours), singles_apart(expected)) == 1


@pytest.mark.parametrize("selection", ["eom", "leaf"])
def test_with_more_neighbours_distances_tie_and_people_are_the_same_all_the_same(selection: str) -> None:
    # From three samples on, one core distance is the length of several edges. Theirs takes them one by one,
    # in the order in which it found them, ours at once; people far apart do not depend on it.
    rows = crowd(64, 0.6)
    expected = HDBSCAN(min_cluster_size=3, min_samples=3, cluster_selection_method=selection, copy=True)
    ours = Hdbscan(3, 3, selection).cluster(rows)
    assert adjusted_rand_score(singles_apart(ours), singles_apart(expected.fit_predict(rows))) > 0.99


def test_ties_do_not_hang_on_the_order_of_the_photos() -> None:
    rows = crowd(8, 0.6)
    order = np.random.default_rng(0).permutation(len(rows))
    back = np.empty(len(rows), np.int64)
    back[order] = Hdbscan(3, 5, "eom").cluster(rows[order])
    assert adjusted_rand_score(singles_apart(back), singles_apart(Hdbscan(3, 5, "eom").cluster(rows))) == 1


def test_what_was_given_is_not_tuned() -> None:
    rows, people = crowd(16, 0.5, 100), np.arange(100) % 10
    tuned = Hdbscan(min_samples=2, selection="leaf").calibrated(rows, people, lambda guess, truth: 1.0)
    assert (tuned.min_samples, tuned.selection) == (2, "leaf") and tuned.min_cluster_size in tuned.size_grid


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        ({"min_cluster_size": 1}, "min_cluster_size 1 is below 2"),
        ({"min_samples": 0}, "min_samples 0 is below 1"),
        ({"selection": "root"}, "selection 'root' is not eom or leaf"),
        ({"samples_grid": ()}, "samples_grid 0 is below 1"),
    ],
)
def test_parameters_out_of_range_are_the_users_mistake(parameters: dict[str, Any], line: str) -> None:
    with pytest.raises(UserError, match=line):
        Hdbscan(**{"min_cluster_size": 3, "min_samples": 3, "selection": "eom"} | parameters).cluster(
            crowd(8, 0.5, 20)
        )
