"""Infomap: communities that a random walk on the graph of near photos stays in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.types import Ints, PluginCard

from ._cluster.orderly import OrderlyClusterer
from ._graph.flow import flow_labels
from ._graph.neighbours import Graph
from ._parameters.packages import check_package


@dataclass(frozen=True)
class Infomap(OrderlyClusterer):
    """The two-level map equation on the graph of near photos, weighted by cosine similarity.

    A photo by itself is noise (-1). The seed also decides the order in which photos are visited.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="Infomap on the graph of near photos; eps tuned on calibration identities",
        source="Rosvall and Bergstrom, PNAS 2008; package infomap",
    )

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        check_package(self.name, "infomap", "communities")

    def labels(self, graph: Graph) -> Ints:
        """See `EpsClusterer.labels`."""
        return flow_labels(graph, self.seed)


PLUGIN = Infomap
