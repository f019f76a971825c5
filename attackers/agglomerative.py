"""Agglomerative clustering with average linkage: merge the two most alike groups until none are alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from bench.types import Embeddings, Labels, PluginCard

from ._embeddings.rows import unit_rows
from ._graph.average import average_linkage
from ._graph.neighbours import neighbour_graph
from ._graph.search import Search
from ._parameters.choice import DISTANCES, best, check_calibration, check_distance


@dataclass(frozen=True)
class Agglomerative:
    """Average linkage (UPGMA) over cosine distance, cut at a distance; scikit-learn's partition.

    Only pairs of photos within the cut are kept, and no distance matrix is: exact as long as the neighbour
    search is.

    Attributes:
        distance: mean cosine distance up to which two clusters are merged; None takes the best of `grid` on
            calibration identities.
        grid: increasing candidates for distance.
        exact_up_to: photos up to which all pairs are compared; beyond, neighbours come from inverted lists.
        probes: inverted lists in which a photo's neighbours are looked for.
        seed: of the sample that the lists are learned from.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="average linkage over cosine distance; its cut tuned on calibration identities",
        source="Sokal and Michener, Univ. Kansas Sci. Bull. 1958; in rounds: Murtagh, Computer J. 1983",
    )

    distance: float | None = None
    grid: tuple[float, ...] = DISTANCES
    exact_up_to: int = 30_000
    probes: int = 24
    seed: int = 0

    def calibrated(
        self, embeddings: Embeddings, people: Labels, objective: Callable[[Labels, Labels], float]
    ) -> Agglomerative:
        """A copy with the cut of `grid` that sorts the calibration identities best; as in `Dbscan`."""
        search = self._search()
        if self.distance is not None:
            return self
        check_calibration(people, len(embeddings))
        widest = max(self.grid)
        rows = unit_rows(embeddings)
        merges = average_linkage(rows, neighbour_graph(rows, widest, search), widest)
        return replace(self, distance=best(self.grid, lambda cut: objective(merges.cut(cut), people)))

    def cluster(self, embeddings: Embeddings) -> Labels:
        """Assign every embedding to a cluster, numbered from 0 by first appearance; alone is noise (-1).

        Raises:
            UserError: for parameters out of range.
            ValueError: before `calibrated` gave it a distance, for embeddings that are zero or not finite,
                and for more neighbours than memory should hold.
        """
        search = self._search()
        if self.distance is None:
            raise ValueError("agglomerative has no distance yet: calibrate it, or give one")
        rows = unit_rows(embeddings)
        graph = neighbour_graph(rows, self.distance, search)
        return average_linkage(rows, graph, self.distance).cut(self.distance)

    def _search(self) -> Search:
        """How neighbours are looked for, once all parameters are seen to make sense."""
        check_distance("agglomerative", "distance", self.distance, self.grid)
        search = Search(self.exact_up_to, self.probes, self.seed)
        search.check("agglomerative")
        return search


PLUGIN = Agglomerative
