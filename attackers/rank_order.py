"""Approximate rank-order clustering: two photos are one person if they have the same neighbours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from bench.errors import UserError
from bench.types import Embeddings, Labels, PluginCard

from ._embeddings.rows import unit_rows
from ._graph.neighbours import component_labels
from ._graph.rank_order import rank_order_graph
from ._graph.search import Search, nearest
from ._parameters.choice import check_calibration, check_least, middle_of_best


@dataclass(frozen=True)
class RankOrder:
    """Approximate rank-order clustering: one pass, all pairs nearer than a threshold, transitively.

    Attributes:
        threshold: rank-order distance up to which two photos are joined; None takes the best of `grid` on
            calibration identities.
        neighbours: photos on each list. The paper takes 200 for millions of photos; where lists hold much of
            a small collection, everybody is on everybody's. None takes the best of `neighbour_grid`, of
            equally good ones the least.
        grid: increasing candidates for threshold.
        neighbour_grid: increasing candidates for neighbours.
        exact_up_to: photos up to which neighbours are exact; beyond, they come from inverted lists.
        probes: inverted lists in which a photo's neighbours are looked for.
        seed: of the sample that the lists are learned from.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="approximate rank-order clustering; its threshold tuned on calibration identities",
        source="Otto, Wang and Jain, IEEE TPAMI 2018; after Zhu, Wen and Sun, CVPR 2011",
    )

    threshold: float | None = None
    neighbours: int | None = None
    grid: tuple[float, ...] = tuple(step / 20 for step in range(1, 61))
    neighbour_grid: tuple[int, ...] = (4, 8, 16, 32, 64)
    exact_up_to: int = 30_000
    probes: int = 24
    seed: int = 0

    def calibrated(
        self, embeddings: Embeddings, people: Labels, objective: Callable[[Labels, Labels], float]
    ) -> RankOrder:
        """A copy with the threshold of `grid` that sorts the calibration identities best; as in `Dbscan`."""
        search = self._search()
        if self.threshold is not None and self.neighbours is not None:
            return self
        check_calibration(people, len(embeddings))
        lengths = self.neighbour_grid if self.neighbours is None else (self.neighbours,)
        thresholds = self.grid if self.threshold is None else (self.threshold,)
        who = nearest(unit_rows(embeddings), max(lengths), search)[0]

        def scores(neighbours: int) -> list[float]:
            graph = rank_order_graph(who[:, :neighbours])
            return [objective(component_labels(graph.within(one)), people) for one in thresholds]

        tried = [scores(neighbours) for neighbours in lengths]
        which = int(np.argmax([max(some) for some in tried]))
        threshold = thresholds[middle_of_best(tried[which])]
        return replace(self, threshold=threshold, neighbours=lengths[which])

    def cluster(self, embeddings: Embeddings) -> Labels:
        """Assign every embedding to a cluster, numbered from 0 by first appearance; alone is noise (-1).

        Raises:
            UserError: for parameters out of range.
            ValueError: before `calibrated` gave it a threshold and the length of its lists, and for
                embeddings that are zero or not finite.
        """
        search = self._search()
        if self.threshold is None or self.neighbours is None:
            raise ValueError("rank-order is not tuned yet: calibrate it, or give threshold and neighbours")
        who = nearest(unit_rows(embeddings), self.neighbours, search)[0]
        return component_labels(rank_order_graph(who).within(self.threshold))

    def _search(self) -> Search:
        """How neighbours are looked for, once all parameters are seen to make sense."""
        check_least("rank-order", "neighbours", self.neighbours, 1, 16)
        check_least("rank-order", "neighbour_grid", min(self.neighbour_grid, default=0), 1, 16)
        if not self.grid or min(self.grid) < 0 or (self.threshold or 0) < 0:
            raise UserError("rank-order: threshold must be at least 0. Leave it out, or try threshold=1.")
        search = Search(self.exact_up_to, self.probes, self.seed)
        search.check("rank-order")
        return search


PLUGIN = RankOrder
