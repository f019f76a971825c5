"""PictoPy: DBSCAN whose distance follows the collection, then clusters merged, then leftovers assigned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bench.errors import UserError
from bench.types import Ints, PluginCard

from ._embeddings.numbering import by_first_appearance
from ._embeddings.rows import Floats32
from ._graph.assigning import cluster_means, nearest_means
from ._graph.neighbours import dbscan_labels, neighbour_graph
from ._graph.search import nearest
from ._parameters.ranges import check_distance, check_least
from ._presets.deployed import Numbers
from ._presets.sorting import Sorting


@dataclass(frozen=True)
class Pictopy(Sorting):
    """DBSCAN at a distance that the collection decides, in three steps; never tuned.

    The distance is the 90th percentile of the photos' distances to their second neighbour, at most `eps`.
    Then a cluster takes over each later one whose mean direction is at least `merge` like its own. Last, a
    photo without a cluster joins the nearest mean that is at least `accept` like it.

    PictoPy never puts two faces of one photo into one cluster. Here each photo has one face, so that the rule
    has nothing to forbid. Which neighbour's distance counts in PictoPy is not known to this project.

    Attributes:
        eps: The largest cosine distance up to which two photos are neighbours.
        min_samples: The number of photos within the distance, the photo itself included, that make a photo
            the core of a cluster.
        percentile: The percentile of the distances that decides.
        merge: The cosine of two means from which their clusters are one.
        accept: The cosine with a mean from which a photo joins its cluster.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="adaptive DBSCAN, merge and assign as in PictoPy: at most .35, .7, .8; not tuned",
        source="preset of PictoPy, 2026-08-08: settings.py, face_clusters.py",
    )
    numbers: ClassVar[Numbers] = {"facenet128": {"eps": 0.35, "merge": 0.7, "accept": 0.8}}

    eps: float = 0.35
    min_samples: int = 2
    percentile: int = 90
    merge: float = 0.7
    accept: float = 0.8

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        check_distance(self.name, "eps", self.eps, (self.eps,))
        check_least(self.name, "min_samples", self.min_samples, 1, 2)
        if not 0 <= self.percentile <= 100 or max(self.merge, self.accept) > 1:
            raise UserError(
                f"{self.name}: percentile {self.percentile} must be from 0 to 100, merge {self.merge:g} and "
                f"accept {self.accept:g} at most 1. Leave them out for the product's."
            )

    def labels(self, rows: Floats32) -> Ints:
        """See `Sorting.labels`."""
        labels = dbscan_labels(neighbour_graph(rows, self.neighbour_distance(rows), self), self.min_samples)
        return self.assigned(rows, self.merged(rows, labels))

    def neighbour_distance(self, rows: Floats32) -> float:
        """The cosine distance up to which two photos of a collection of unit rows are neighbours."""
        alike = nearest(rows, 2, self)[1]
        if not alike.shape[1]:
            return self.eps
        # rounding puts twins a hair apart
        return min(max(float(np.percentile(1 - alike[:, -1], self.percentile)), 1e-6), self.eps)

    def merged(self, rows: Floats32, labels: Ints) -> Ints:
        """The clusters after each took over the later ones that are like it; what was taken takes none."""
        means = cluster_means(rows, labels)
        if len(means) < 2:
            return labels
        near = neighbour_graph(means, 1 - self.merge, self)
        taken_by = np.arange(len(means))
        for first, second in zip(near.left.tolist(), near.right.tolist(), strict=True):
            if taken_by[first] == first and taken_by[second] == second:
                taken_by[second] = first
        return by_first_appearance(np.where(labels < 0, -1, taken_by[labels]))

    def assigned(self, rows: Floats32, labels: Ints) -> Ints:
        """The clusters, joined by the photos that are like a mean."""
        leftover = np.flatnonzero(labels < 0)
        means = cluster_means(rows, labels)
        if not leftover.size or not len(means):
            return labels
        numbers, distance = nearest_means(rows[leftover], means, self)
        joins = 1 - distance[:, 0] ** 2 / 2 >= self.accept
        joined = labels.copy()
        joined[leftover[joins]] = numbers[joins, 0]
        return joined


PLUGIN = Pictopy
