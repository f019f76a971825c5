"""Clusterers of the graph of photos that lie within a cosine distance eps of each other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from bench.types import Embeddings, Ints, Labels

from .._graph.neighbours import Graph, neighbour_graph
from .._graph.searching import Searching
from .._parameters.choice import best, check_calibration
from .._parameters.ranges import check_distance


@dataclass(frozen=True)
class EpsClusterer(Searching, ABC):
    """A clusterer that is handed the graph of near photos, and whose eps is tuned.

    Attributes:
        eps: The cosine distance up to which two photos are neighbours; None takes the best of `grid` on
            calibration identities.
    """

    eps: float | None = None

    @property
    @abstractmethod
    def grid(self) -> tuple[float, ...]:
        """The increasing candidates for eps: a field of the attacker."""

    @abstractmethod
    def labels(self, graph: Graph) -> Ints:
        """The cluster of each photo of a graph that was cut at eps.

        Returns:
            int [photo], clusters numbered from 0 by first appearance, -1 for noise.
        """

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        check_distance(self.name, "eps", self.eps, self.grid)

    def calibrated(
        self, embeddings: Embeddings, people: Labels, objective: Callable[[Labels, Labels], float]
    ) -> Self:
        """A copy with the eps of `grid` that sorts the calibration identities best.

        Ties go to the middle of the widest plateau. An eps that was given stays as it is.

        Args:
            embeddings: [photo, dimension], the photos of calibration identities.
            people: int [photo], the person on each photo.
            objective: (guess, truth) -> score; a larger score is better.

        Raises:
            UserError: for fewer than two identities, none with two photos, or parameters out of range.
            ValueError: for embeddings that are zero or not finite.
        """
        self.check()
        if self.eps is not None:
            return self
        check_calibration(people, len(embeddings))
        graph = neighbour_graph(embeddings, max(self.grid), self)
        return replace(self, eps=self.best_eps(graph, people, objective))

    def best_eps(self, graph: Graph, people: Labels, objective: Callable[[Labels, Labels], float]) -> float:
        """The eps of `grid` at which the clusters of a graph sort its photos best.

        Args:
            graph: All pairs of photos within the widest eps of `grid`.
            people: int [photo], the person on each photo of the graph.
            objective: (guess, truth) -> score; a larger score is better.
        """
        return best(self.grid, lambda eps: objective(self.labels(graph.within(eps)), people))

    def cluster(self, embeddings: Embeddings) -> Labels:
        """Assign every embedding to a cluster, numbered from 0 by first appearance, or to noise (-1).

        Args:
            embeddings: [photo, dimension]; only the direction of a row matters.

        Raises:
            UserError: for parameters out of range.
            ValueError: before `calibrated` gave it an eps, for embeddings that are zero or not finite, and
                for more neighbours than memory should hold.
        """
        self.check()
        return self.labels(neighbour_graph(embeddings, self.tuned_eps(), self))

    def tuned_eps(self) -> float:
        """The eps to cut at.

        Raises:
            ValueError: before there is one.
        """
        if self.eps is None:
            raise ValueError(f"{self.name} has no eps yet: calibrate it, or give one")
        return self.eps
