"""Agglomerative clustering with average linkage: merge the two most alike groups until none are alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from bench.types import Embeddings, Labels, PluginCard

from ._embeddings.rows import unit_rows
from ._graph.average import average_linkage
from ._graph.neighbours import neighbour_graph
from ._graph.searching import Searching
from ._parameters.choice import DISTANCES, best, check_calibration
from ._parameters.ranges import check_distance


@dataclass(frozen=True)
class Agglomerative(Searching):
    """Average linkage (UPGMA) over cosine distance, cut at a distance; scikit-learn's partition.

    Only pairs of photos within the cut are kept, without a distance matrix. The result is exact as long as
    the search for neighbours is. A photo by itself is noise (-1).

    Attributes:
        distance: The mean cosine distance up to which two clusters are merged; None takes the best of `grid`
            on calibration identities.
        grid: The increasing candidates for distance.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="average linkage over cosine distance; its cut tuned on calibration identities",
        source="Sokal and Michener, Univ. Kansas Sci. Bull. 1958; in rounds: Murtagh, Computer J. 1983",
    )

    distance: float | None = None
    grid: tuple[float, ...] = DISTANCES

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        check_distance(self.name, "distance", self.distance, self.grid)

    def calibrated(
        self, embeddings: Embeddings, people: Labels, objective: Callable[[Labels, Labels], float]
    ) -> Agglomerative:
        """A copy with the cut of `grid` that sorts the calibration identities best.

        See `EpsClusterer.calibrated`.
        """
        self.check()
        if self.distance is not None:
            return self
        check_calibration(people, len(embeddings))
        widest = max(self.grid)
        rows = unit_rows(embeddings)
        merges = average_linkage(rows, neighbour_graph(rows, widest, self), widest)
        return replace(self, distance=best(self.grid, lambda cut: objective(merges.cut(cut), people)))

    def cluster(self, embeddings: Embeddings) -> Labels:
        """See `EpsClusterer.cluster`."""
        self.check()
        if self.distance is None:
            raise ValueError(f"{self.name} has no distance yet: calibrate it, or give one")
        rows = unit_rows(embeddings)
        graph = neighbour_graph(rows, self.distance, self)
        return average_linkage(rows, graph, self.distance).cut(self.distance)


PLUGIN = Agglomerative
