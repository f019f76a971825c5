"""Leiden communities of the graph of near photos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.types import Ints, PluginCard

from ._cluster.communities import Communities
from ._graph.leiden import leiden_labels
from ._graph.neighbours import Graph
from ._parameters.packages import check_package


@dataclass(frozen=True)
class Leiden(Communities):
    """Communities by the Leiden method, which keeps every community connected; see `Communities`."""

    card: ClassVar[PluginCard] = PluginCard(
        summary="Leiden communities of the graph of near photos; tuned on calibration identities",
        source="Traag, Waltman and van Eck, Scientific Reports 2019; package leidenalg",
    )

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        check_package(self.name, "leidenalg", "communities")

    def labels(self, graph: Graph, penalty: float) -> Ints:
        """See `Communities.labels`."""
        return leiden_labels(graph, penalty, self.seed)


PLUGIN = Leiden
