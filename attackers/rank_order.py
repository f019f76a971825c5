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
from ._graph.search import nearest
from ._graph.searching import Searching
from ._parameters.choice import check_calibration, middle_of_best
from ._parameters.ranges import check_least


@dataclass(frozen=True)
class RankOrder(Searching):
    """Approximate rank-order clustering: all pairs nearer than a threshold are joined, in one pass.

    Joining is transitive. A photo by itself is noise (-1).

    Attributes:
        threshold: The rank-order distance up to which two photos are joined; None takes the best of `grid` on
            calibration identities.
        neighbours: The number of photos on each photo's list. The paper takes 200 for millions of photos.
            Long lists say little about a small collection, for every photo is on nearly every list. None
            takes the best of `neighbour_grid`, and the least of equally good ones.
        grid: The increasing candidates for threshold.
        neighbour_grid: The increasing candidates for neighbours.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="approximate rank-order clustering; its threshold tuned on calibration identities",
        source="Otto, Wang and Jain, IEEE TPAMI 2018; after Zhu, Wen and Sun, CVPR 2011",
    )

    threshold: float | None = None
    neighbours: int | None = None
    grid: tuple[float, ...] = tuple(step / 20 for step in range(1, 61))
    neighbour_grid: tuple[int, ...] = (4, 8, 16, 32, 64)

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        check_least(self.name, "neighbours", self.neighbours, 1, 16)
        check_least(self.name, "neighbour_grid", min(self.neighbour_grid, default=0), 1, 16)
        if not self.grid or min(self.grid) < 0 or (self.threshold or 0) < 0:
            raise UserError(f"{self.name}: threshold must be at least 0. Leave it out, or try threshold=1.")

    def calibrated(
        self, embeddings: Embeddings, people: Labels, objective: Callable[[Labels, Labels], float]
    ) -> RankOrder:
        """A copy with the threshold of `grid` that sorts the calibration identities best.

        See `EpsClusterer.calibrated`.
        """
        self.check()
        if self.threshold is not None and self.neighbours is not None:
            return self
        check_calibration(people, len(embeddings))
        lengths = self.neighbour_grid if self.neighbours is None else (self.neighbours,)
        thresholds = self.grid if self.threshold is None else (self.threshold,)
        lists = nearest(unit_rows(embeddings), max(lengths), self)[0]

        def scores(neighbours: int) -> list[float]:
            graph = rank_order_graph(lists[:, :neighbours])
            return [objective(component_labels(graph.within(distance)), people) for distance in thresholds]

        by_length = [scores(neighbours) for neighbours in lengths]
        chosen = int(np.argmax([max(of_a_length) for of_a_length in by_length]))
        threshold = thresholds[middle_of_best(by_length[chosen])]
        return replace(self, threshold=threshold, neighbours=lengths[chosen])

    def cluster(self, embeddings: Embeddings) -> Labels:
        """Assign every embedding to a cluster, numbered from 0 by first appearance, or to noise (-1).

        Raises:
            UserError: for parameters out of range.
            ValueError: before `calibrated` gave it a threshold and the length of its lists, and for
                embeddings that are zero or not finite.
        """
        self.check()
        if self.threshold is None or self.neighbours is None:
            raise ValueError(f"{self.name} is not tuned yet: calibrate it, or give threshold and neighbours")
        lists = nearest(unit_rows(embeddings), self.neighbours, self)[0]
        return component_labels(rank_order_graph(lists).within(self.threshold))


PLUGIN = RankOrder
