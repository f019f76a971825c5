"""DBSCAN over cosine distance: what photo managers' face groups do, in one form or another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from bench.types import Embeddings, Labels, PluginCard

from ._neighbours import dbscan_labels, neighbour_graph
from ._tuning import check_calibration, middle_of_best


@dataclass(frozen=True)
class Dbscan:
    """Exact DBSCAN (Ester et al. 1996); the same partition as scikit-learn's, without its n x n distances.

    Attributes:
        eps: cosine distance up to which two photos are neighbours; None takes the best of `grid` on
            calibration identities.
        min_samples: photos within eps, itself included, that make a photo the core of a cluster.
        grid: increasing candidates for eps.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="DBSCAN over cosine distance; eps tuned on calibration identities",
        source="Ester, Kriegel, Sander and Xu, KDD 1996",
    )

    eps: float | None = None
    min_samples: int = 3
    grid: tuple[float, ...] = tuple(step / 40 for step in range(2, 37))

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
            UserError: for fewer than two identities, or none with two photos.
            ValueError: for embeddings that are zero or not finite.
        """
        if self.eps is not None:
            return self
        check_calibration(people, len(embeddings))
        graph = neighbour_graph(embeddings, max(self.grid))
        scores = [objective(dbscan_labels(graph.within(eps), self.min_samples), people) for eps in self.grid]
        return replace(self, eps=self.grid[middle_of_best(scores)])

    def cluster(self, embeddings: Embeddings) -> Labels:
        """Assign every embedding to a cluster, numbered from 0 by first appearance, or to noise (-1).

        Args:
            embeddings: [photo, dimension]; length does not matter, direction does.

        Raises:
            ValueError: before `calibrated` gave it an eps, and for embeddings that are zero or not finite.
        """
        if self.eps is None:
            raise ValueError("dbscan has no eps yet: calibrate it, or give one")
        return dbscan_labels(neighbour_graph(embeddings, self.eps), self.min_samples)


PLUGIN = Dbscan
