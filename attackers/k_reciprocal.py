"""k-reciprocal re-ranking: photos are alike that are neighbours of the same photos, then average linkage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import ClassVar

import numpy as np

from bench.errors import UserError
from bench.types import Embeddings, Labels, PluginCard

from ._embeddings.different import Different
from ._embeddings.rows import Floats32
from ._graph.average import Merges
from ._graph.reciprocal import reciprocal_graph
from ._graph.search import Numbers, nearest
from ._graph.searching import Searching
from ._graph.sparse_average import sparse_average_linkage
from ._parameters.choice import check_calibration, middle_of_best
from ._parameters.ranges import check_distance, check_least


@dataclass(frozen=True)
class KReciprocal(Searching):
    """Average linkage over the Jaccard distance of k-reciprocal neighbours, mixed with the cosine distance.

    Photos that are not among each other's neighbours are at distance 1. A photo by itself is noise (-1).

    Attributes:
        distance: The mean distance up to which two clusters are merged; None takes the best of `grid` on
            calibration identities.
        neighbours: The number of nearest photos that may be k-reciprocal ones. Longer lists hold strangers
            where people have few photos. None takes the best of `neighbour_grid`, the first of equally good
            ones.
        expansion: The number of nearest photos, the photo itself counted, whose neighbours are averaged; 1
            averages none. None takes the best of `expansion_grid`, the first of equally good ones.
        mix: The share of the cosine distance in the distance; the paper's is .3.
        grid: The increasing candidates for distance.
        neighbour_grid: The candidates for neighbours; the paper has 20, for people with many photos.
        expansion_grid: The candidates for expansion.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="k-reciprocal re-ranking, then average linkage; tuned on calibration identities",
        source="Zhong, Zheng, Cao and Li, CVPR 2017",
    )

    distance: float | None = None
    neighbours: int | None = None
    expansion: int | None = None
    mix: float = 0.3
    grid: tuple[float, ...] = (0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95)
    neighbour_grid: tuple[int, ...] = (6, 10, 20)
    expansion_grid: tuple[int, ...] = (1, 3)

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        check_distance(self.name, "distance", self.distance, self.grid)
        if max(self.distance or 0, *self.grid) >= 1:
            raise UserError(f"{self.name}: distance must be below 1. Leave it out, or try distance=0.8.")
        check_least(self.name, "neighbours", self.neighbours, 1, 10)
        check_least(self.name, "neighbour_grid", min(self.neighbour_grid, default=0), 1, 10)
        check_least(self.name, "expansion", self.expansion, 1, 3)
        check_least(self.name, "expansion_grid", min(self.expansion_grid, default=0), 1, 3)
        if not 0 <= self.mix <= 1:
            raise UserError(f"{self.name}: mix {self.mix} is not within 0 and 1. Try mix=0.3.")

    def calibrated(
        self, embeddings: Embeddings, people: Labels, objective: Callable[[Labels, Labels], float]
    ) -> KReciprocal:
        """A copy with the parameters that sort the calibration identities best; what was given stays.

        See `EpsClusterer.calibrated`.
        """
        self.check()
        if None not in (self.distance, self.neighbours, self.expansion):
            return self
        check_calibration(people, len(embeddings))
        photos = Different.of(embeddings, self.seed)
        lengths = self.neighbour_grid if self.neighbours is None else (self.neighbours,)
        expansions = self.expansion_grid if self.expansion is None else (self.expansion,)
        cuts = self.grid if self.distance is None else (self.distance,)
        lists = nearest(photos.rows, max(*lengths, *expansions), self)[0]

        def scores(length: int, expansion: int) -> list[float]:
            merges = self._merges(photos.rows, lists, length, expansion, max(cuts))
            return [objective(photos.labels(merges.cut(cut)), people) for cut in cuts]

        graphs = list(product(lengths, expansions))
        by_graph = [scores(length, expansion) for length, expansion in graphs]
        chosen = int(np.argmax([max(of_a_graph) for of_a_graph in by_graph]))
        length, expansion = graphs[chosen]
        cut = cuts[middle_of_best(by_graph[chosen])]
        return replace(self, neighbours=length, expansion=expansion, distance=cut)

    def cluster(self, embeddings: Embeddings) -> Labels:
        """See `EpsClusterer.cluster`; every parameter has to be calibrated or given."""
        self.check()
        cut, length, expansion = self.distance, self.neighbours, self.expansion
        if cut is None or length is None or expansion is None:
            raise ValueError(f"{self.name} is not tuned yet: calibrate it, or give all of its parameters")
        photos = Different.of(embeddings, self.seed)
        lists = nearest(photos.rows, max(length, expansion), self)[0]
        return photos.labels(self._merges(photos.rows, lists, length, expansion, cut).cut(cut))

    def _merges(self, rows: Floats32, lists: Numbers, length: int, expansion: int, cut: float) -> Merges:
        return sparse_average_linkage(reciprocal_graph(rows, lists, length, expansion, self.mix), cut)


PLUGIN = KReciprocal
