"""PLSCAN: HDBSCAN's innermost clusters, without a least number of photos to choose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from bench.types import Embeddings, Labels, PluginCard

from ._embeddings.rows import unit_rows
from ._graph.persistent import persistent_labels
from ._graph.searching import Searching
from ._graph.spanning import neighbour_lists, spanning_tree
from ._parameters.choice import best, check_calibration
from ._parameters.ranges import check_least


@dataclass(frozen=True)
class Plscan(Searching):
    """PLSCAN over Euclidean distance of unit vectors, which orders photos as cosine distance does.

    HDBSCAN's innermost clusters for every number of photos that make a cluster; the number is taken at which
    clusters persist the most. The spanning tree is that of `hdbscan`.

    Attributes:
        min_samples: A photo's core distance is the distance to its neighbour of this rank, the photo itself
            counted; None takes the best of `samples_grid` on calibration identities.
        samples_grid: The candidates for min_samples.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="PLSCAN: HDBSCAN's leaves at the size where they persist; tuned on calibration identities",
        source="Bot, McInnes and Aerts, arXiv 2512.16558, 2025",
    )

    min_samples: int | None = None
    samples_grid: tuple[int, ...] = (1, 2, 3, 5)

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        check_least(self.name, "min_samples", self.min_samples, 1, 3)
        check_least(self.name, "samples_grid", min(self.samples_grid, default=0), 1, 3)

    def calibrated(
        self, embeddings: Embeddings, people: Labels, objective: Callable[[Labels, Labels], float]
    ) -> Plscan:
        """A copy with the core neighbours that sort the calibration identities best.

        See `EpsClusterer.calibrated`.
        """
        self.check()
        if self.min_samples is not None:
            return self
        check_calibration(people, len(embeddings))
        rows = unit_rows(embeddings)
        lists = neighbour_lists(rows, max(self.samples_grid), self)

        def score(samples: int) -> float:
            return objective(persistent_labels(spanning_tree(rows, lists, samples), len(rows)), people)

        return replace(self, min_samples=best(self.samples_grid, score))

    def cluster(self, embeddings: Embeddings) -> Labels:
        """See `EpsClusterer.cluster`; min_samples has to be calibrated or given."""
        self.check()
        if self.min_samples is None:
            raise ValueError(f"{self.name} has no min_samples yet: calibrate it, or give one")
        rows = unit_rows(embeddings)
        tree = spanning_tree(rows, neighbour_lists(rows, self.min_samples, self), self.min_samples)
        return persistent_labels(tree, len(rows))


PLUGIN = Plscan
