"""Louvain communities of the graph of near photos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.types import Ints, PluginCard

from ._cluster.communities import Communities
from ._graph.louvain import louvain_labels
from ._graph.neighbours import Graph


@dataclass(frozen=True)
class Louvain(Communities):
    """Communities by the Louvain method; see `Communities`."""

    card: ClassVar[PluginCard] = PluginCard(
        summary="Louvain communities of the graph of near photos; tuned on calibration identities",
        source="Blondel, Guillaume, Lambiotte and Lefebvre, J. Stat. Mech. 2008",
    )

    def labels(self, graph: Graph, penalty: float) -> Ints:
        """See `Communities.labels`."""
        return louvain_labels(graph, penalty, self.seed)


PLUGIN = Louvain
