"""HDBSCAN: DBSCAN at every density at once, and the clusters that last longest."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import ClassVar

from bench.errors import UserError
from bench.types import Embeddings, Labels, PluginCard

from ._embeddings.rows import unit_rows
from ._graph.condensed import condensed, flat_clusters
from ._graph.searching import Searching
from ._graph.spanning import neighbour_lists, spanning_tree
from ._parameters.choice import best, check_calibration
from ._parameters.ranges import check_distance, check_least

_SELECTIONS = ("eom", "leaf")


@dataclass(frozen=True)
class Hdbscan(Searching):
    """HDBSCAN over Euclidean distance of unit vectors, which orders photos as cosine distance does.

    The partition is that of scikit-learn and of the `hdbscan` package, except where distances tie: there
    theirs depends on the order of the photos, and this one does not.

    The spanning tree is exact up to `exact_up_to` photos; beyond, it is that of the neighbour lists.

    Attributes:
        min_cluster_size: The number of photos that make a cluster; None takes the best of `size_grid` on
            calibration identities.
        min_samples: A photo's core distance is the distance to its neighbour of this rank, the photo itself
            counted (as in scikit-learn; the `hdbscan` package does not count the photo itself); None takes
            the best of `samples_grid`.
        selection: `eom` (excess of mass) or `leaf`; None takes the better one.
        cut: The cosine distance above which no edge joins photos, as in Nextcloud Recognize; 2 is no limit.
            None takes the best of `cut_grid`.
        size_grid: The candidates for min_cluster_size.
        samples_grid: The candidates for min_samples.
        cut_grid: The increasing candidates for cut.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="HDBSCAN; smallest cluster, core neighbours and selection tuned on calibration identities",
        source="Campello, Moulavi and Sander, PAKDD 2013; Campello et al., ACM TKDD 2015",
    )

    min_cluster_size: int | None = None
    min_samples: int | None = None
    selection: str | None = None
    cut: float | None = None
    size_grid: tuple[int, ...] = (2, 3, 5)
    samples_grid: tuple[int, ...] = (1, 2, 3, 5)
    cut_grid: tuple[float, ...] = (0.4, 0.5, 0.6, 0.7, 2.0)

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        if self.selection not in (None, *_SELECTIONS):
            raise UserError(
                f"{self.name}: selection {self.selection!r} is not eom or leaf. Try selection=eom."
            )
        check_least(self.name, "min_cluster_size", self.min_cluster_size, 2, 3)
        check_least(self.name, "min_samples", self.min_samples, 1, 3)
        check_least(self.name, "size_grid", min(self.size_grid, default=0), 2, 3)
        check_least(self.name, "samples_grid", min(self.samples_grid, default=0), 1, 3)
        check_distance(self.name, "cut", self.cut, self.cut_grid)

    def calibrated(
        self, embeddings: Embeddings, people: Labels, objective: Callable[[Labels, Labels], float]
    ) -> Hdbscan:
        """A copy with the parameters that sort the calibration identities best; what was given stays.

        See `EpsClusterer.calibrated`.
        """
        self.check()
        if None not in (self.min_samples, self.min_cluster_size, self.selection, self.cut):
            return self
        check_calibration(people, len(embeddings))
        rows = unit_rows(embeddings)
        cores = self.samples_grid if self.min_samples is None else (self.min_samples,)
        leasts = self.size_grid if self.min_cluster_size is None else (self.min_cluster_size,)
        selections = _SELECTIONS if self.selection is None else (self.selection,)
        cuts = self.cut_grid if self.cut is None else (self.cut,)
        lists = neighbour_lists(rows, max(cores), self)
        trees = {samples: spanning_tree(rows, lists, samples) for samples in cores}
        clusters = {
            (samples, least): condensed(trees[samples], len(rows), least)
            for samples, least in product(cores, leasts)
        }

        def score(parameters: tuple[int, int, str, float]) -> float:
            samples, least, selection, cut = parameters
            return objective(
                flat_clusters(clusters[samples, least], selection == "leaf", _length(cut)), people
            )

        samples, least, selection, cut = best(list(product(cores, leasts, selections, cuts)), score)
        return replace(self, min_samples=samples, min_cluster_size=least, selection=selection, cut=cut)

    def cluster(self, embeddings: Embeddings) -> Labels:
        """See `EpsClusterer.cluster`; every parameter has to be calibrated or given."""
        self.check()
        samples, least, selection, cut = self.min_samples, self.min_cluster_size, self.selection, self.cut
        if samples is None or least is None or selection is None or cut is None:
            raise ValueError(f"{self.name} is not tuned yet: calibrate it, or give all of its parameters")
        rows = unit_rows(embeddings)
        tree = spanning_tree(rows, neighbour_lists(rows, samples, self), samples)
        return flat_clusters(condensed(tree, len(rows), least), selection == "leaf", _length(cut))


def _length(cut: float) -> float | None:
    """The Euclidean distance of two unit vectors at a cosine distance; None for 2, which is no limit."""
    return None if cut >= 2 else math.sqrt(2 * cut)


PLUGIN = Hdbscan
