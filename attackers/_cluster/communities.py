"""Clusterers that find communities in the graph of near photos, with a penalty for large ones."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import Self

from bench.errors import UserError
from bench.types import Embeddings, Ints, Labels

from .._embeddings.order import content_order, in_content_order, put_back
from .._embeddings.rows import Floats32, unit_rows
from .._graph.neighbours import Graph, neighbour_graph
from .._graph.searching import Searching
from .._parameters.choice import DISTANCES, best, check_calibration
from .._parameters.ranges import check_distance, check_least


@dataclass(frozen=True)
class Communities(Searching, ABC):
    """Communities of the graph of near photos, weighted by cosine similarity.

    A photo by itself is noise (-1). The seed also decides the order in which photos are visited.

    Attributes:
        eps: The cosine distance up to which two photos are neighbours; None takes the best of `grid` on
            calibration identities.
        penalty: The similarity that two photos must have above what the product of their totals makes likely:
            gamma / 2m of modularity. None takes the best of `penalty_grid` at the best eps.
        neighbours: The number of nearest neighbours within eps that a photo is joined to. It is also joined
            to the photos whose nearest neighbour it is.
        grid: The increasing candidates for eps, tried at the middle penalty.
        penalty_grid: The candidates for penalty.
    """

    eps: float | None = None
    penalty: float | None = None
    neighbours: int = 64
    grid: tuple[float, ...] = DISTANCES
    penalty_grid: tuple[float, ...] = (0.0001, 0.0003, 0.001, 0.003, 0.01)

    @abstractmethod
    def labels(self, graph: Graph, penalty: float) -> Ints:
        """The community of each photo of a graph that was cut at eps.

        Returns:
            int [photo], numbered from 0 by first appearance, -1 for a photo by itself.
        """

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        check_distance(self.name, "eps", self.eps, self.grid)
        check_least(self.name, "neighbours", self.neighbours, 1, 64)
        if not self.penalty_grid or min(self.penalty_grid) < 0 or (self.penalty or 0) < 0:
            raise UserError(f"{self.name}: penalty must be at least 0. Leave it out, or try penalty=0.001.")

    def calibrated(
        self, embeddings: Embeddings, people: Labels, objective: Callable[[Labels, Labels], float]
    ) -> Self:
        """A copy with the eps and the penalty that sort the calibration identities best.

        See `EpsClusterer.calibrated`.
        """
        self.check()
        if self.eps is not None and self.penalty is not None:
            return self
        score = self._scores(embeddings, people, objective)
        middle = self.penalty_grid[len(self.penalty_grid) // 2] if self.penalty is None else self.penalty
        eps = best(self.grid, lambda eps: score(eps, middle)) if self.eps is None else self.eps
        if self.penalty is not None:
            return replace(self, eps=eps)
        return replace(self, eps=eps, penalty=best(self.penalty_grid, lambda penalty: score(eps, penalty)))

    def in_hindsight(
        self, embeddings: Embeddings, people: Labels, objective: Callable[[Labels, Labels], float]
    ) -> Self:
        """See `bench.protocols.Clusterer`: every eps is tried with every penalty."""
        self.check()
        if self.eps is not None and self.penalty is not None:
            return self
        score = self._scores(embeddings, people, objective)
        distances = self.grid if self.eps is None else (self.eps,)
        penalties = self.penalty_grid if self.penalty is None else (self.penalty,)
        eps, penalty = best(list(product(distances, penalties)), lambda both: score(*both))
        return replace(self, eps=eps, penalty=penalty)

    def cluster(self, embeddings: Embeddings) -> Labels:
        """See `EpsClusterer.cluster`; the penalty, too, has to be calibrated or given."""
        self.check()
        eps, penalty = self.eps, self.penalty
        if eps is None or penalty is None:
            raise ValueError(f"{self.name} is not tuned yet: calibrate it, or give eps and penalty")
        return in_content_order(
            embeddings, self.seed, lambda rows: self.labels(self._graph(rows, eps), penalty)
        )

    def _scores(
        self, embeddings: Embeddings, people: Labels, objective: Callable[[Labels, Labels], float]
    ) -> Callable[[float, float], float]:
        """(eps, penalty) -> how well they sort the photos of some people."""
        check_calibration(people, len(embeddings))
        rows = unit_rows(embeddings)
        order = content_order(rows, self.seed)
        graph = self._graph(rows[order], max(self.grid) if self.eps is None else self.eps)

        def score(eps: float, penalty: float) -> float:
            return objective(put_back(self.labels(graph.within(eps), penalty), order), people)

        return score

    def _graph(self, rows: Floats32, eps: float) -> Graph:
        return neighbour_graph(rows, eps, self).nearest(self.neighbours)
