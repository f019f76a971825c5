"""Chinese Whispers: photos take over the name that most of their neighbours have (dlib's face clustering)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from bench.types import Embeddings, Ints, Labels, PluginCard

from ._embeddings.order import content_order, in_content_order
from ._embeddings.rows import Floats32, unit_rows
from ._graph.neighbours import Graph, neighbour_graph
from ._graph.search import Search
from ._graph.whispers import whispered_labels
from ._parameters.choice import DISTANCES, best, check_calibration, check_distance, check_least


@dataclass(frozen=True)
class ChineseWhispers:
    """Label propagation on the graph of near photos, weighted by cosine similarity.

    Attributes:
        eps: cosine distance up to which two photos are neighbours; None takes the best of `grid` on
            calibration identities.
        neighbours: nearest neighbours within eps that a photo listens to; it also listens to those that
            listen to it.
        passes: over all photos, at most; it stops when nobody changes any more.
        grid: increasing candidates for eps.
        exact_up_to: photos up to which all pairs are compared; beyond, neighbours come from inverted lists.
        probes: inverted lists in which a photo's neighbours are looked for.
        seed: of the order in which photos are visited, and of the sample that the lists are learned from.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="Chinese Whispers on the graph of near photos; eps tuned on calibration identities",
        source="Biemann, TextGraphs 2006; for faces: dlib's chinese_whispers",
    )

    eps: float | None = None
    neighbours: int = 64
    passes: int = 20
    grid: tuple[float, ...] = DISTANCES
    exact_up_to: int = 30_000
    probes: int = 24
    seed: int = 0

    def calibrated(
        self, embeddings: Embeddings, people: Labels, objective: Callable[[Labels, Labels], float]
    ) -> ChineseWhispers:
        """A copy with the eps of `grid` that sorts the calibration identities best; as in `Dbscan`."""
        self._check()
        if self.eps is not None:
            return self
        check_calibration(people, len(embeddings))
        rows = unit_rows(embeddings)
        order = content_order(rows, self.seed)
        graph, truth = self._graph(rows[order], max(self.grid)), people[order]
        return replace(self, eps=best(self.grid, lambda e: objective(self._labels(graph.within(e)), truth)))

    def cluster(self, embeddings: Embeddings) -> Labels:
        """Assign every embedding to a cluster, numbered from 0 by first appearance; alone is noise (-1).

        Raises:
            UserError: for parameters out of range.
            ValueError: before `calibrated` gave it an eps, for embeddings that are zero or not finite, and
                for more neighbours than memory should hold.
        """
        self._check()
        eps = self.eps
        if eps is None:
            raise ValueError("chinese-whispers has no eps yet: calibrate it, or give one")
        return in_content_order(embeddings, self.seed, lambda rows: self._labels(self._graph(rows, eps)))

    def _graph(self, rows: Floats32, eps: float) -> Graph:
        search = Search(self.exact_up_to, self.probes, self.seed)
        return neighbour_graph(rows, eps, search).nearest(self.neighbours)

    def _labels(self, graph: Graph) -> Ints:
        return whispered_labels(graph, self.passes, self.seed)

    def _check(self) -> None:
        """See that the parameters make sense; the constructor only stores them."""
        check_distance("chinese-whispers", "eps", self.eps, self.grid)
        check_least("chinese-whispers", "neighbours", self.neighbours, 1, 64)
        check_least("chinese-whispers", "passes", self.passes, 1, 20)
        Search(self.exact_up_to, self.probes, self.seed).check("chinese-whispers")


PLUGIN = ChineseWhispers
