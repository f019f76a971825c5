"""Infomap: the description of a random walk, whose length is computed here on its own."""

from __future__ import annotations

import numpy as np
import pytest
from bench.attackers._graph.flow import flow_labels
from bench.attackers._graph.neighbours import Graph, neighbour_graph

from bench.types import Ints


def crowd(spread: float, eps: float) -> tuple[Graph, Ints]:
    rng = np.random.default_rng(5)
    owners = rng.permutation(np.arange(200) % 20)
    rows = rng.normal(size=(20, 64))[owners] + spread * rng.normal(size=(200, 64))
    return neighbour_graph(rows, eps), owners.astype(np.int64)


def entropy(rates: np.ndarray) -> float:
    """Plogp, summed: of rates that need not add up to one."""
    positive = rates[rates > 0]
    return float((positive * np.log2(positive)).sum())


def length(graph: Graph, labels: Ints) -> float:
    """Bits a step of an undirected walk: equation 4 of Rosvall, Axelsson and Bergstrom 2009."""
    weight = 1 - graph.distance.astype(np.float64)
    total = 2 * weight.sum()
    visits = (
        np.bincount(graph.left, weight, graph.photos) + np.bincount(graph.right, weight, graph.photos)
    ) / total
    modules = np.unique(labels, return_inverse=True)[1]
    between = modules[graph.left] != modules[graph.right]
    leaving = (
        np.bincount(modules[graph.left][between], weight[between], modules.max() + 1)
        + np.bincount(modules[graph.right][between], weight[between], modules.max() + 1)
    ) / total
    inside = np.bincount(modules, visits)
    return (
        entropy(np.array([leaving.sum()]))
        - 2 * entropy(leaving)
        - entropy(visits)
        + entropy(leaving + inside)
    )


def apart(labels: Ints) -> Ints:
    return np.where(labels < 0, labels.size + np.arange(labels.size), labels)


def test_people_who_are_apart_are_found() -> None:
    graph, owners = crowd(0.3, 0.4)
    found = apart(flow_labels(graph, 0))
    assert ((found[:, None] == found) == (owners[:, None] == owners)).all()


@pytest.mark.parametrize(("spread", "eps"), [(0.7, 0.6), (0.9, 0.7)])
def test_no_move_of_a_photo_shortens_the_description(spread: float, eps: float) -> None:
    graph, owners = crowd(spread, eps)
    found = apart(flow_labels(graph, 0))
    reached = length(graph, found)
    assert reached < length(graph, np.zeros(200, np.int64)) - 0.1  # than of one module
    assert reached < length(graph, np.arange(200)) - 0.1  # than of a module a photo
    assert reached <= length(graph, owners) + 1e-9  # than of the people themselves
    for photo in range(0, 200, 7):
        near = np.concatenate([graph.right[graph.left == photo], graph.left[graph.right == photo]])
        for module in np.unique(found[near]):
            moved = found.copy()
            moved[photo] = module
            assert length(graph, moved) > reached - 1e-6


def test_photos_without_neighbours_are_noise() -> None:
    none = np.zeros(0, np.int32)
    assert flow_labels(Graph(3, none, none, none.astype(np.float32)), 0).tolist() == [-1, -1, -1]
    pair = Graph(5, np.array([1], np.int32), np.array([3], np.int32), np.array([0.2], np.float32))
    assert flow_labels(pair, 0).tolist() == [-1, 0, -1, 0, -1]
    far = Graph(2, np.array([0], np.int32), np.array([1], np.int32), np.array([1.5], np.float32))
    assert flow_labels(far, 0).tolist() == [-1, -1]
