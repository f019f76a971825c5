"""Graphs of photos, as the tests of several clusterers hand them to networkx."""

from __future__ import annotations

from collections.abc import Callable

import networkx as nx
import pytest
from bench.attackers._graph.neighbours import Graph


@pytest.fixture
def in_networkx() -> Callable[[Graph], nx.Graph]:
    """The same graph, weighted by cosine similarity, for networkx."""

    def converted(graph: Graph) -> nx.Graph:
        made = nx.Graph()
        made.add_nodes_from(range(graph.photos))
        weights = (1 - graph.distance).astype(float)
        made.add_weighted_edges_from(
            zip(graph.left.tolist(), graph.right.tolist(), weights.tolist(), strict=True)
        )
        return made

    return converted
