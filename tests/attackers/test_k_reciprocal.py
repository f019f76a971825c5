"""k-reciprocal re-ranking: the distance is the paper's, set by set; copies and strangers do no harm."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from bench.attackers._embeddings.different import Different
from bench.attackers._graph.reciprocal import reciprocal_graph
from bench.attackers._graph.search import nearest
from bench.attackers._graph.searching import Searching

from bench import registry
from bench.errors import UserError
from bench.metrics.clustering import bcubed_objective

KReciprocal = registry.load("attackers", "k-reciprocal")


def crowd(photos: int, people: int, spread: float, seed: int, dimensions: int = 16) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    owners = rng.permutation(np.arange(photos) % people)
    rows = rng.normal(size=(people, dimensions))[owners] + spread * rng.normal(size=(photos, dimensions))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32), owners


# --- the distance


def by_hand(rows: np.ndarray, k: int, expansion: int, mix: float) -> np.ndarray:
    """The re-ranked distance of all pairs, by the sets of Zhong et al. 2017, sections 3.2 to 3.4."""
    photos = len(rows)
    apart = 1 - rows.astype(np.float64) @ rows.T.astype(np.float64)
    order = [sorted(range(photos), key=lambda g, p=p: (g != p, apart[p, g])) for p in range(photos)]  # type: ignore[misc]

    def reciprocal(p: int, size: int) -> set[int]:
        return {g for g in order[p][: size + 1] if p in order[g][: size + 1]}

    places = np.zeros((photos, photos))
    for p in range(photos):
        own = reciprocal(p, k)
        grown = set(own)
        for q in own:
            further = reciprocal(q, max(1, k // 2))
            if len(own & further) * 3 >= 2 * len(further):
                grown |= further
        for g in grown:
            places[p, g] = np.exp(-apart[p, g])
        places[p] /= places[p].sum()
    averaged = np.array([places[order[p][:expansion]].mean(axis=0) for p in range(photos)])
    least = np.minimum(averaged[:, None], averaged[None]).sum(axis=2)
    most = np.maximum(averaged[:, None], averaged[None]).sum(axis=2)
    return np.asarray((1 - mix) * (1 - least / most) + mix * apart)


@pytest.mark.parametrize(("k", "expansion"), [(3, 1), (6, 3), (10, 1), (12, 6), (59, 1)])
@pytest.mark.parametrize("mix", [0.0, 0.3, 1.0])
def test_the_distance_is_the_papers(k: int, expansion: int, mix: float) -> None:
    rows, _ = crowd(60, 6, 0.7, seed=k)
    lists = nearest(rows, max(k, expansion), Searching())[0]
    graph = reciprocal_graph(rows, lists, k, expansion, mix)
    expected = by_hand(rows, k, expansion, mix)
    assert graph.distance == pytest.approx(expected[graph.left, graph.right], abs=1e-5)
    alike = rows @ rows.T
    listed = {(min(a, b), max(a, b)) for a in range(60) for b in lists[a, :k].tolist() if alike[a, b] > 0}
    assert set(zip(graph.left.tolist(), graph.right.tolist(), strict=True)) == listed


def test_a_photo_that_the_search_found_no_neighbours_of_is_a_pair_of_nobody() -> None:
    rows, _ = crowd(6, 2, 0.3, seed=1)
    lists = np.array([[1, 2], [0, 2], [0, 1], [4, -1], [3, -1], [-1, -1]], np.int32)
    graph = reciprocal_graph(rows, lists, 2, 2, 0.3)
    assert np.isfinite(graph.distance).all()
    assert 5 not in graph.left and 5 not in graph.right


# --- the attacker


def test_people_in_a_crowded_place_and_in_an_empty_one_are_found_at_one_distance() -> None:
    # A third of the people are drawn to one direction: strangers there are as near as one person elsewhere.
    rng = np.random.default_rng(6)
    owners = rng.permutation(np.repeat(np.arange(30), 8))
    rows = rng.normal(size=(30, 64))[owners] + 0.9 * rng.normal(size=(240, 64)) + 1.5 * (owners < 10)[:, None]
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    average = registry.load("attackers", "agglomerative")
    plain = max(bcubed_objective(average(cut).cluster(rows), owners) for cut in average().grid)
    assert bcubed_objective(KReciprocal(0.8, 6, 3).cluster(rows), owners) > max(0.95, plain + 0.1)


def test_copies_of_photos_change_nobodys_cluster() -> None:
    rows, _ = crowd(60, 6, 0.5, seed=2)
    attacker = KReciprocal(0.8, 6, 1)
    once = attacker.cluster(rows)
    # twenty copies of one photo would fill every list of six
    more = attacker.cluster(np.concatenate([rows, np.repeat(rows[:1], 20, axis=0)]))
    assert more[:60].tolist() == once.tolist() and set(more[60:].tolist()) == {once[0]}


def test_different_photos_come_once_and_find_their_way_back() -> None:
    rows, _ = crowd(8, 8, 0.1, seed=3)
    given = rows[[3, 0, 3, 1, 0, 5]]
    photos = Different.of(given, seed=0)
    assert len(photos.rows) == 4
    each = photos.labels(np.arange(4))
    assert each.tolist() == [0, 1, 0, 2, 1, 3]
    # noise stays noise, but for photos that have a copy
    assert photos.labels(np.full(4, -1)).tolist() == [0, 1, 0, -1, 1, -1]
    assert Different.of(rows[:0], seed=0).labels(np.empty(0, np.int64)).size == 0


def test_of_equally_good_lists_the_shortest_are_taken_and_what_was_given_is_not_tuned() -> None:
    rows, owners = crowd(80, 10, 0.1, seed=4)
    tuned = KReciprocal().calibrated(rows, owners, bcubed_objective)
    assert (tuned.neighbours, tuned.expansion) == (6, 1) and tuned.distance in tuned.grid
    given = KReciprocal(neighbours=7, distance=0.5).calibrated(rows, owners, bcubed_objective)
    assert (given.neighbours, given.distance) == (7, 0.5)
    assert given.calibrated(rows, owners, bcubed_objective) is given


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        ({"distance": 2.5}, "distance 2.5 is not a cosine distance"),
        ({"distance": 1.0}, "distance must be below 1"),
        ({"grid": ()}, "grid must increase"),
        ({"neighbours": 0}, "neighbours 0 is below 1"),
        ({"neighbour_grid": ()}, "neighbour_grid 0 is below 1"),
        ({"expansion": 0}, "expansion 0 is below 1"),
        ({"mix": 1.5}, "mix 1.5 is not within 0 and 1"),
    ],
)
def test_parameters_out_of_range_are_the_users_mistake(parameters: dict[str, Any], line: str) -> None:
    with pytest.raises(UserError, match=line):
        replace(KReciprocal(), **parameters).check()


def test_it_is_tuned_before_it_is_used() -> None:
    with pytest.raises(ValueError, match="not tuned yet"):
        KReciprocal().cluster(crowd(8, 2, 0.5, seed=5)[0])
