"""DBSCAN over cosine distance: what photo managers' face groups do, in one form or another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

from bench.errors import UserError
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
            UserError: for fewer than two identities, none with two photos, or parameters out of range.
            ValueError: for embeddings that are zero or not finite.
        """
        self._check()
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
            UserError: for parameters out of range.
            ValueError: before `calibrated` gave it an eps, and for embeddings that are zero or not finite.
        """
        self._check()
        if self.eps is None:
            raise ValueError("dbscan has no eps yet: calibrate it, or give one")
        return dbscan_labels(neighbour_graph(embeddings, self.eps), self.min_samples)

    def _check(self) -> None:
        """See that the parameters make sense; the constructor only stores them."""
        if self.eps is not None and not 0 < self.eps <= 2:
            raise UserError(f"dbscan: eps {self.eps} is not a cosine distance, 0 < eps <= 2. Try eps=0.5.")
        if self.min_samples < 1:
            raise UserError(f"dbscan: min_samples {self.min_samples} is below 1. Try min_samples=3.")
        steps = (0.0, *self.grid)
        if not self.grid or any(not a < b <= 2 for a, b in pairwise(steps)):
            raise UserError("dbscan: grid must increase within 0 < eps <= 2. Leave it out for the default.")


PLUGIN = Dbscan
