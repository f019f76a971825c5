"""Clusterers whose answer hangs on the order of photos: they take the order that contents decide."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from bench.types import Embeddings, Labels

from .._embeddings.order import content_order, in_content_order, put_back
from .._embeddings.rows import Floats32, unit_rows
from .._graph.neighbours import Graph, neighbour_graph
from .._parameters.choice import DISTANCES, best, check_calibration
from .._parameters.ranges import check_least
from .eps import EpsClusterer


@dataclass(frozen=True)
class OrderlyClusterer(EpsClusterer, ABC):
    """A clusterer of the graph of the nearest photos within eps, in the seeded order of their contents.

    Attributes:
        neighbours: The number of nearest neighbours within eps that a photo is joined to. It is also joined
            to the photos whose nearest neighbour it is.
        grid: The increasing candidates for eps.
    """

    neighbours: int = 64
    grid: tuple[float, ...] = DISTANCES

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        check_least(self.name, "neighbours", self.neighbours, 1, 64)

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
        graph = self.graph(rows[order], max(self.grid))

        def score(eps: float) -> float:
            return objective(put_back(self.labels(graph.within(eps)), order), people)

        return replace(self, eps=best(self.grid, score))

    def cluster(self, embeddings: Embeddings) -> Labels:
        """See `EpsClusterer.cluster`."""
        self.check()
        eps = self.tuned_eps()
        return in_content_order(embeddings, self.seed, lambda rows: self.labels(self.graph(rows, eps)))

    def graph(self, rows: Floats32, eps: float) -> Graph:
        """The pairs of nearest photos within eps."""
        return neighbour_graph(rows, eps, self).nearest(self.neighbours)
