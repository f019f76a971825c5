"""DBSCAN over cosine distance: what photo managers' face groups do, in one form or another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from bench.types import Embeddings, Labels, PluginCard

from ._graph.neighbours import dbscan_labels, neighbour_graph
from ._graph.search import Search
from ._parameters.choice import DISTANCES, best, check_calibration, check_distance, check_least


@dataclass(frozen=True)
class Dbscan:
    """DBSCAN (Ester et al. 1996); scikit-learn's partition, without its n x n distances.

    Attributes:
        eps: cosine distance up to which two photos are neighbours; None takes the best of `grid` on
            calibration identities.
        min_samples: photos within eps, itself included, that make a photo the core of a cluster.
        grid: increasing candidates for eps.
        exact_up_to: photos up to which all pairs are compared; beyond, neighbours come from inverted lists.
        probes: inverted lists in which a photo's neighbours are looked for.
        seed: of the sample that the lists are learned from.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="DBSCAN over cosine distance; eps tuned on calibration identities",
        source="Ester, Kriegel, Sander and Xu, KDD 1996",
    )

    eps: float | None = None
    min_samples: int = 3
    grid: tuple[float, ...] = DISTANCES
    exact_up_to: int = 30_000
    probes: int = 24
    seed: int = 0

    def calibrated(
        self, embeddings: Embeddings, people: Labels, objective: Callable[[Labels, Labels], float]
    ) -> Dbscan:
        """A copy with the eps of `grid` that sorts the calibration identities best.

        Ties go to the middle of the widest plateau. An eps that was given stays as it is.

        Args:
            embeddings: [photo, dimension] of calibration identities.
            people: int [photo], who is on each.
            objective: (guess, truth) -> score, larger is better.

        Raises:
            UserError: for fewer than two identities, none with two photos, or parameters out of range.
            ValueError: for embeddings that are zero or not finite.
        """
        search = self._search()
        if self.eps is not None:
            return self
        check_calibration(people, len(embeddings))
        graph = neighbour_graph(embeddings, max(self.grid), search)
        eps = best(
            self.grid, lambda eps: objective(dbscan_labels(graph.within(eps), self.min_samples), people)
        )
        return replace(self, eps=eps)

    def cluster(self, embeddings: Embeddings) -> Labels:
        """Assign every embedding to a cluster, numbered from 0 by first appearance, or to noise (-1).

        Args:
            embeddings: [photo, dimension]; length does not matter, direction does.

        Raises:
            UserError: for parameters out of range.
            ValueError: before `calibrated` gave it an eps, for embeddings that are zero or not finite, and
                for more neighbours than memory should hold.
        """
        search = self._search()
        if self.eps is None:
            raise ValueError("dbscan has no eps yet: calibrate it, or give one")
        return dbscan_labels(neighbour_graph(embeddings, self.eps, search), self.min_samples)

    def _search(self) -> Search:
        """How neighbours are looked for, once all parameters are seen to make sense."""
        check_distance("dbscan", "eps", self.eps, self.grid)
        check_least("dbscan", "min_samples", self.min_samples, 1, 3)
        search = Search(self.exact_up_to, self.probes, self.seed)
        search.check("dbscan")
        return search


PLUGIN = Dbscan
