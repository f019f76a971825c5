"""HDBSCAN: the spanning tree is exact, the clusters are scikit-learn's where no distances tie."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bench.attackers._graph import spanning
from bench.attackers._graph.searching import Searching
from planted import on_a_circle, singles_apart, tens
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from scipy.spatial.distance import pdist, squareform
from sklearn.cluster import HDBSCAN
from sklearn.metrics import adjusted_rand_score

from bench import registry
from bench.errors import UserError

Hdbscan = registry.load("attackers", "hdbscan")


@pytest.mark.parametrize(("contracted", "listed"), [(8192, 16), (8192, 3), (30, 3), (1, 16)])
@pytest.mark.parametrize("min_samples", [1, 2, 4])
def test_the_tree_is_a_minimum_one_however_it_was_found(
    monkeypatch: pytest.MonkeyPatch, contracted: int, listed: int, min_samples: int
) -> None:
    # Lists alone, lists and one pass over all pairs, and several passes: three ways to one tree.
    monkeypatch.setattr(spanning, "_CONTRACTED", contracted)
    monkeypatch.setattr(spanning, "LISTED", listed)
    rows = tens(8, 0.6)
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
    rows = tens(dimensions, spread)
    theirs = HDBSCAN(
        min_cluster_size=size, min_samples=min_samples, cluster_selection_method=selection, copy=True
    )
    expected = theirs.fit_predict(rows.astype(np.float64))
    ours = Hdbscan(size, min_samples, selection, cut=2).cluster(rows)
    assert np.array_equal(ours == -1, expected == -1)
    assert adjusted_rand_score(singles_apart(ours), singles_apart(expected)) == 1


@pytest.mark.parametrize("selection", ["eom", "leaf"])
def test_with_more_neighbours_distances_tie_and_people_are_the_same_all_the_same(selection: str) -> None:
    # From three samples on, one core distance is the length of several edges. Theirs takes them one by one,
    # in the order in which it found them, ours at once; people far apart do not depend on it.
    rows = tens(64, 0.6)
    expected = HDBSCAN(min_cluster_size=3, min_samples=3, cluster_selection_method=selection, copy=True)
    ours = Hdbscan(3, 3, selection, cut=2).cluster(rows)
    assert adjusted_rand_score(singles_apart(ours), singles_apart(expected.fit_predict(rows))) > 0.99


# --- the cut


def cosine_distance(degrees: float) -> float:
    return 1 - float(np.cos(np.radians(degrees)))


@pytest.mark.parametrize("selection", ["eom", "leaf"])
@pytest.mark.parametrize(
    ("degrees", "alone", "together"),
    [
        (7, [-1] * 9, [-1] * 9),
        (9, [0, 0, 0, 1, 1, 1, 2, 2, 2], [0, 0, 0, 1, 1, 1, 2, 2, 2]),
        (12, [0, 0, 0, 1, 1, 1, 2, 2, 2], [0, 0, 0, 0, 0, 0, 1, 1, 1]),
    ],
)
def test_no_edge_above_the_cut_joins_photos(
    degrees: float, alone: list[int], together: list[int], selection: str
) -> None:
    # Photos 8 degrees apart, three and three with 10 degrees between them, and three far away. The six have
    # more excess of mass than the two threes: 6 (1/10 - 1/138) = .56 and 2 * 3 (1/8 - 1/10) = .15.
    rows = on_a_circle(0, 8, 16, 26, 34, 42, 180, 188, 196)
    labels = Hdbscan(3, 1, selection, cut=cosine_distance(degrees)).cluster(rows)
    assert labels.tolist() == (alone if selection == "leaf" else together)


def test_a_photo_that_joins_a_cluster_above_the_cut_is_noise() -> None:
    rows = on_a_circle(0, 4, 8, 20, 180, 184, 188)
    assert Hdbscan(3, 1, "eom", cut=2).cluster(rows).tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert Hdbscan(3, 1, "eom", cut=cosine_distance(11)).cluster(rows).tolist() == [0, 0, 0, -1, 1, 1, 1]


def test_with_a_cut_a_single_person_is_a_cluster_and_without_one_is_not() -> None:
    rows = on_a_circle(0, 4, 9, 15)
    assert Hdbscan(3, 1, "eom", cut=2).cluster(rows).tolist() == [-1] * 4
    assert Hdbscan(3, 1, "eom", cut=cosine_distance(7)).cluster(rows).tolist() == [0] * 4


def within(reach: np.ndarray, photos: np.ndarray, length: float) -> np.ndarray:
    """The connected component of each of some photos, no edge longer than a length."""
    return np.asarray(connected_components(reach[np.ix_(photos, photos)] <= length, directed=False)[1])


@pytest.mark.parametrize(("dimensions", "spread"), [(3, 0.3), (8, 0.5), (16, 0.9), (64, 1.0)])
@pytest.mark.parametrize("size", [2, 3, 5])
@pytest.mark.parametrize("min_samples", [1, 2])
@pytest.mark.parametrize("cut", [0.05, 0.2, 0.4])
def test_leaves_with_a_cut_are_those_of_scikit_learn_as_far_as_the_cut_holds_them_together(
    dimensions: int, spread: float, size: int, min_samples: int, cut: float
) -> None:
    rows = tens(dimensions, spread)
    apart = squareform(pdist(rows.astype(np.float64)))
    core = np.sort(apart, axis=1)[:, min_samples - 1]
    reach = np.maximum(np.maximum(apart, core[:, None]), core[None])
    length = float(np.sqrt(2 * cut))
    whole = HDBSCAN(
        min_cluster_size=size, min_samples=min_samples, cluster_selection_method="leaf", copy=True
    )
    labels = whole.fit_predict(rows.astype(np.float64))
    expected = np.full(len(rows), -1)
    for leaf in range(labels.max() + 1):
        photos = np.flatnonzero(labels == leaf)
        parts = within(reach, photos, length)
        largest = np.bincount(parts).argmax()
        if (parts == largest).sum() >= size:
            expected[photos[parts == largest]] = leaf
    ours = Hdbscan(size, min_samples, "leaf", cut=cut).cluster(rows)
    assert np.array_equal(ours == -1, expected == -1)
    assert adjusted_rand_score(singles_apart(ours), singles_apart(expected)) == 1
    # what excess of mass chooses hangs together, too, and holds whole leaves
    outer = Hdbscan(size, min_samples, "eom", cut=cut).cluster(rows)
    for cluster in range(outer.max() + 1):
        assert within(reach, np.flatnonzero(outer == cluster), length).max() == 0
    for leaf in range(ours.max() + 1):
        assert np.unique(outer[ours == leaf]).size == 1


# --- order and parameters


def test_ties_do_not_hang_on_the_order_of_the_photos() -> None:
    rows = tens(8, 0.6)
    order = np.random.default_rng(0).permutation(len(rows))
    back = np.empty(len(rows), np.int64)
    ours = Hdbscan(3, 5, "eom", cut=2)
    back[order] = ours.cluster(rows[order])
    assert adjusted_rand_score(singles_apart(back), singles_apart(ours.cluster(rows))) == 1


def test_what_was_given_is_not_tuned() -> None:
    rows, people = tens(16, 0.5, 100), np.arange(100) % 10
    tuned = Hdbscan(min_samples=2, selection="leaf").calibrated(rows, people, lambda guess, truth: 1.0)
    assert (tuned.min_samples, tuned.selection) == (2, "leaf") and tuned.min_cluster_size in tuned.size_grid
    assert tuned.cut in tuned.cut_grid
    assert Hdbscan(cut=0.45).calibrated(rows, people, lambda guess, truth: 1.0).cut == 0.45


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        ({"min_cluster_size": 1}, "min_cluster_size 1 is below 2"),
        ({"min_samples": 0}, "min_samples 0 is below 1"),
        ({"selection": "root"}, "selection 'root' is not eom or leaf"),
        ({"samples_grid": ()}, "samples_grid 0 is below 1"),
        ({"cut": 2.5}, "cut 2.5 is not a cosine distance"),
        ({"cut_grid": (0.5, 0.4)}, "grid must increase"),
    ],
)
def test_parameters_out_of_range_are_the_users_mistake(parameters: dict[str, Any], line: str) -> None:
    with pytest.raises(UserError, match=line):
        Hdbscan(
            **{"min_cluster_size": 3, "min_samples": 3, "selection": "eom", "cut": 2} | parameters
        ).cluster(tens(8, 0.5, 20))
