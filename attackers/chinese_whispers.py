"""Chinese Whispers: photos take over the name that most of their neighbours have (dlib's face clustering)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.types import Ints, PluginCard

from ._cluster.orderly import OrderlyClusterer
from ._graph.neighbours import Graph
from ._graph.whispers import whispered_labels
from ._parameters.ranges import check_least


@dataclass(frozen=True)
class ChineseWhispers(OrderlyClusterer):
    """Label propagation on the graph of near photos, weighted by cosine similarity.

    A photo by itself is noise (-1). The seed also decides the order in which photos are visited.

    Attributes:
        passes: The number of passes over all photos, at most. It stops when no photo changes its name.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="Chinese Whispers on the graph of near photos; eps tuned on calibration identities",
        source="Biemann, TextGraphs 2006; for faces: dlib's chinese_whispers",
    )

    passes: int = 20

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        check_least(self.name, "passes", self.passes, 1, 20)

    def labels(self, graph: Graph) -> Ints:
        """See `EpsClusterer.labels`."""
        return whispered_labels(graph, self.passes, self.seed)


PLUGIN = ChineseWhispers
