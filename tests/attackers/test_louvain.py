"""Louvain: networkx's communities on the same graph."""

from __future__ import annotations

from collections.abc import Callable

import networkx as nx
import numpy as np
import pytest
from bench.attackers._graph.louvain import louvain_labels
from bench.attackers._graph.neighbours import Graph, neighbour_graph
from planted import singles_apart
from sklearn.metrics import adjusted_rand_score

from bench import registry
from bench.errors import UserError

Louvain = registry.load("attackers", "louvain")
InNetworkx = Callable[[Graph], nx.Graph]


def graph_of(spread: float, eps: float) -> Graph:
    rng = np.random.default_rng(4)
    owners = rng.permutation(np.arange(300) % 30)
    rows = rng.normal(size=(30, 16))[owners] + spread * rng.normal(size=(300, 16))
    return neighbour_graph(rows, eps)


@pytest.mark.parametrize("spread", [0.2, 0.3, 0.4])
@pytest.mark.parametrize("resolution", [1.0, 4.0])
def test_the_communities_are_networkxs(spread: float, resolution: float, in_networkx: InNetworkx) -> None:
    graph = graph_of(spread, 0.4)
    theirs = in_networkx(graph)
    weight = theirs.size(weight="weight")
    expected = np.empty(300, int)
    for name, group in enumerate(nx.community.louvain_communities(theirs, resolution=resolution, seed=1)):
        expected[list(group)] = name
    ours = louvain_labels(graph, resolution / (2 * weight), seed=1)
    assert adjusted_rand_score(singles_apart(ours), expected) > 0.99


@pytest.mark.parametrize("eps", [0.4, 0.6, 0.8])
def test_its_modularity_is_as_good_as_networkxs_where_people_run_together(
    eps: float, in_networkx: InNetworkx
) -> None:
    # Both stop at a partition that no single move betters. Which one depends on the order of moves; its worth
    # hardly does.
    graph = graph_of(1.0, eps)
    theirs = in_networkx(graph)
    penalty = 1 / (2 * theirs.size(weight="weight"))
    labels = singles_apart(louvain_labels(graph, penalty, seed=1))
    ours = [set(np.flatnonzero(labels == name).tolist()) for name in np.unique(labels)]
    expected = nx.community.louvain_communities(theirs, seed=1)
    quality = nx.community.modularity
    assert quality(theirs, ours) > quality(theirs, expected) - 0.01


def test_a_penalty_holds_for_more_people_where_a_resolution_does_not() -> None:
    # Two people joined by one weak edge, once in a small collection and once in a large one. Modularity at
    # resolution 1 joins them in the large one (its resolution limit); the penalty keeps them apart in both.
    pair = [(0, 1), (0, 2), (1, 2), (3, 4), (3, 5), (4, 5)]
    for others in (0, 200):
        edges = [*pair, (2, 3)]
        for other in range(others):
            first = 6 + 3 * other
            edges += [(first, first + 1), (first, first + 2), (first + 1, first + 2)]
        distance = np.full(len(edges), 0.2, np.float32)
        distance[6] = 0.4
        left, right = np.array(edges, np.int32).T
        graph = Graph(6 + 3 * others, left, right, distance)
        labels = louvain_labels(graph, 0.2, seed=0)
        assert labels[0] == labels[2] != labels[3] == labels[5]
    joined = louvain_labels(graph, 1 / (2 * float((1 - graph.distance).sum())), seed=0)
    assert len(set(joined[:6].tolist())) == 1


def test_both_parameters_are_tuned_and_one_that_was_given_stays() -> None:
    rng = np.random.default_rng(4)
    owners = np.arange(120) % 15
    rows = (rng.normal(size=(15, 16))[owners] + 0.4 * rng.normal(size=(120, 16))).astype(np.float32)
    tuned = Louvain(penalty=0.05).calibrated(rows, owners, lambda guess, truth: float((guess >= 0).mean()))
    assert tuned.penalty == 0.05 and tuned.eps in tuned.grid
    with pytest.raises(UserError, match="penalty must be at least 0"):
        Louvain(eps=0.5, penalty=-1.0).cluster(rows)
