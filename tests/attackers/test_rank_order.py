"""Rank-order distance: the formula, pair by pair."""

from __future__ import annotations

import numpy as np
import pytest
from bench.attackers._graph.rank_order import rank_order_graph

from bench import registry
from bench.errors import UserError

RankOrder = registry.load("attackers", "rank-order")


def by_the_formula(neighbours: np.ndarray) -> dict[tuple[int, int], float]:
    """Otto, Wang and Jain (2018), one pair after another."""
    lists = [[int(x) for x in row if x >= 0] for row in neighbours]

    def place(a: int, b: int) -> float:
        return lists[a].index(b) + 1 if b in lists[a] else np.inf

    def strangers(a: int, b: int) -> int:
        heard = lists[a][: int(min(place(a, b), neighbours.shape[1]))]
        return sum(entry != b and entry not in lists[b] for entry in heard)

    pairs = {(min(a, b), max(a, b)) for a, row in enumerate(lists) for b in row}
    return {
        (a, b): (strangers(a, b) + strangers(b, a)) / min(place(a, b), place(b, a)) for a, b in sorted(pairs)
    }


@pytest.mark.parametrize("k", [1, 2, 5, 8, 13])
def test_the_distance_is_that_of_the_paper(k: int) -> None:
    rows = np.random.default_rng(k).normal(size=(60, 4))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    alike = rows @ rows.T
    np.fill_diagonal(alike, -2)
    neighbours = np.argsort(-alike, axis=1)[:, :k].astype(np.int32)
    neighbours[3, -1] = -1  # a list that found one fewer
    graph = rank_order_graph(neighbours)
    ours = dict(zip(zip(graph.left.tolist(), graph.right.tolist(), strict=True), graph.distance, strict=True))
    assert ours == pytest.approx(by_the_formula(neighbours))


def test_photos_that_are_each_others_nearest_are_at_no_distance() -> None:
    graph = rank_order_graph(np.array([[1], [0], [1]], np.int32))
    # 2 names 1, which does not name 2: d(2, 1) = 0 for the first on its list is 1 itself; d(1, 2) counts 0,
    # which is not on the list of 2.
    assert list(zip(graph.left, graph.right, graph.distance, strict=True)) == [(0, 1, 0.0), (1, 2, 1.0)]


def test_parameters_out_of_range_are_the_users_mistake() -> None:
    with pytest.raises(UserError, match="neighbours 0 is below 1"):
        RankOrder(threshold=1.0, neighbours=0).cluster(np.eye(2, dtype=np.float32))
    with pytest.raises(UserError, match="threshold must be at least 0"):
        RankOrder(threshold=-1.0, neighbours=4).cluster(np.eye(2, dtype=np.float32))
