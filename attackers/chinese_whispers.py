"""Chinese Whispers: photos take over the name that most of their neighbours have (dlib's face clustering)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from bench.types import Embeddings, Ints, Labels, PluginCard

from ._cluster.eps import EpsClusterer
from ._embeddings.order import content_order, in_content_order, put_back
from ._embeddings.rows import Floats32, unit_rows
from ._graph.neighbours import Graph, neighbour_graph
from ._graph.whispers import whispered_labels
from ._parameters.choice import DISTANCES, best, check_calibration
from ._parameters.ranges import check_least


@dataclass(frozen=True)
class ChineseWhispers(EpsClusterer):
    """Label propagation on the graph of near photos, weighted by cosine similarity.

    A photo by itself is noise (-1). The seed also decides the order in which photos are visited.

    Attributes:
        neighbours: The number of nearest neighbours within eps that a photo listens to. It also listens to
            the photos that listen to it.
        passes: The number of passes over all photos, at most. It stops when no photo changes its name.
        grid: The increasing candidates for eps.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="Chinese Whispers on the graph of near photos; eps tuned on calibration identities",
        source="Biemann, TextGraphs 2006; for faces: dlib's chinese_whispers",
    )

    neighbours: int = 64
    passes: int = 20
    grid: tuple[float, ...] = DISTANCES

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        check_least(self.name, "neighbours", self.neighbours, 1, 64)
        check_least(self.name, "passes", self.passes, 1, 20)

    def calibrated(
        self, embeddings: Embeddings, people: Labels, objective: Callable[[Labels, Labels], float]
    ) -> Self:
        """See `EpsClusterer.calibrated`."""
        self.check()
        if self.eps is not None:
            return self
        check_calibration(people, len(embeddings))
        rows = unit_rows(embeddings)
        order = content_order(rows, self.seed)
        graph = self._graph(rows[order], max(self.grid))

        def score(eps: float) -> float:
            return objective(put_back(self.labels(graph.within(eps)), order), people)

        return replace(self, eps=best(self.grid, score))

    def cluster(self, embeddings: Embeddings) -> Labels:
        """See `EpsClusterer.cluster`."""
        self.check()
        eps = self.tuned_eps()
        return in_content_order(embeddings, self.seed, lambda rows: self.labels(self._graph(rows, eps)))

    def labels(self, graph: Graph) -> Ints:
        """See `EpsClusterer.labels`."""
        return whispered_labels(graph, self.passes, self.seed)

    def _graph(self, rows: Floats32, eps: float) -> Graph:
        return neighbour_graph(rows, eps, self).nearest(self.neighbours)


PLUGIN = ChineseWhispers
