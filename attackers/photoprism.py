"""PhotoPrism's face clustering and matching, with the parameters that it is shipped with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bench.errors import UserError
from bench.types import Ints, PluginCard

from ._embeddings.numbering import members
from ._embeddings.rows import Floats32
from ._graph.assigning import cluster_means, nearest_means
from ._graph.neighbours import dbscan_labels, neighbour_graph
from ._parameters.ranges import check_distance, check_least
from ._presets.deployed import Numbers
from ._presets.sorting import Sorting

_FARTHEST = 1.4  # a face never joins a cluster from beyond, whatever the cluster's radius (config.go)


@dataclass(frozen=True)
class Photoprism(Sorting):
    """DBSCAN over Euclidean distance, clusters that are too wide split, then leftovers matched; never tuned.

    A cluster's radius is the 95th percentile of its photos' distances from their mean direction. A cluster
    accepts a face that is nearer than its radius, of which at most `radius` counts, plus `match`. A cluster
    whose own radius is beyond what it accepts is clustered again, at a shorter link distance each time; after
    `rounds` its photos stay noise. Last, each photo without a cluster joins the nearest of those that accept
    it, unless the second nearest is less than `margin` farther.

    All distances are Euclidean, between unit vectors. Those that are None depend on the encoder's family.

    Attributes:
        link: The distance up to which two photos are neighbours.
        radius: The most that a cluster's radius counts for when photos are matched.
        match: How far beyond its radius a cluster accepts a photo.
        core: The number of photos within `link`, the photo itself included, that make a photo the core of a
            cluster.
        rounds: How often a group that is too wide is clustered again.
        shrink: The factor of the link distance in each of these rounds.
        percentile: The percentile of the photos' distances that is a cluster's radius.
        margin: How much nearer the nearest cluster has to be than the second nearest.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="DBSCAN, split and match as in PhotoPrism; distances by encoder family, core 5; not tuned",
        source="preset of PhotoPrism 260919: internal/ai/face/models.go, config.go, cluster_split.go",
    )
    numbers: ClassVar[Numbers] = {
        "sface": {"link": 0.78, "radius": 0.60, "match": 0.35},
        "facenet512": {"link": 0.64, "radius": 0.42, "match": 0.40},
        "auraface": {"link": 0.98, "radius": 0.76, "match": 0.35},
        "w600k_r50": {"link": 1.07, "radius": 0.67, "match": 0.55},
        "w600k_mbf": {"link": 1.03, "radius": 0.64, "match": 0.49},
    }

    link: float | None = None
    radius: float | None = None
    match: float | None = None
    core: int = 5
    rounds: int = 6
    shrink: float = 0.95
    percentile: int = 95
    margin: float = 0.01

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        for name in ("link", "radius", "match"):
            check_distance(self.name, name, getattr(self, name), (0.5,))
        check_least(self.name, "core", self.core, 1, 5)
        check_least(self.name, "rounds", self.rounds, 0, 6)
        if not 0 < self.shrink < 1 or not 1 <= self.percentile <= 100 or not 0 <= self.margin <= 2:
            raise UserError(
                f"{self.name}: shrink {self.shrink:g} must be between 0 and 1, percentile {self.percentile} "
                f"from 1 to 100, margin {self.margin:g} from 0 to 2. Leave them out for the defaults."
            )

    def labels(self, rows: Floats32) -> Ints:
        """See `Sorting.labels`."""
        return self.matched(rows, self.grouped(rows))

    def grouped(self, rows: Floats32) -> Ints:
        """The clusters before photos are matched: DBSCAN's, those that are too wide split.

        Returns:
            int [photo], clusters numbered densely from 0; -1 for noise.
        """
        labels = np.full(len(rows), -1, np.int64)
        groups = self._dbscan(rows, np.arange(len(rows)), self.number("link"))
        for number, part in enumerate(part for group in groups for part in self._split(rows, group)):
            labels[part] = number
        return labels

    def matched(self, rows: Floats32, labels: Ints) -> Ints:
        """The same clusters, joined by the photos that one of them accepts and no other one rivals."""
        leftover = np.flatnonzero(labels < 0)
        means = cluster_means(rows, labels)
        if not leftover.size or not len(means):
            return labels
        numbers, distance = nearest_means(rows[leftover], means, self)
        accepts = np.array(
            [self._accepts(rows[part], mean) for part, mean in zip(members(labels), means, strict=True)]
        )
        distance = np.where(distance < accepts[numbers], distance, np.inf)
        order = np.argsort(distance, axis=1, kind="stable")
        first, *rest = np.take_along_axis(distance, order, 1).T
        second = rest[0] if rest else np.full_like(first, np.inf)
        joins = np.isfinite(first) & (first + np.float32(self.margin) <= second)
        joined = labels.copy()
        joined[leftover[joins]] = np.take_along_axis(numbers, order[:, :1], 1)[joins, 0]
        return joined

    def _split(self, rows: Floats32, group: Ints) -> list[Ints]:
        """A group's photos, in as many groups as it takes for each to accept its own; others are left out."""
        fitting, queue = [], [(group, self.number("link"), 0)]
        while queue:
            part, link, done = queue.pop(0)
            mean = cluster_means(rows[part], np.zeros(part.size, np.int64))[0]
            if self._spread(rows[part], mean) <= self._accepts(rows[part], mean):
                fitting.append(part)
            elif done < self.rounds:
                link *= self.shrink
                queue += [(smaller, link, done + 1) for smaller in self._dbscan(rows, part, link)]
        return fitting

    def _dbscan(self, rows: Floats32, part: Ints, link: float) -> list[Ints]:
        """The clusters of some photos, each as numbers of photos."""
        # For unit vectors |a - b|^2 = 2 (1 - cos).
        labels = dbscan_labels(neighbour_graph(rows[part], link**2 / 2, self), self.core)
        return [part[cluster] for cluster in members(labels)]

    def _spread(self, rows: Floats32, mean: Floats32) -> float:
        """How far from a cluster's mean the percentile of its photos reaches, by nearest rank."""
        distances = np.sort(np.sqrt(np.maximum(2 - 2 * (rows * mean).sum(axis=1, dtype=np.float64), 0)))
        rank = -(-self.percentile * distances.size // 100)
        return float(distances[max(rank, 1) - 1])

    def _accepts(self, rows: Floats32, mean: Floats32) -> float:
        """The distance below which a cluster accepts a photo."""
        return min(min(self._spread(rows, mean), self.number("radius")) + self.number("match"), _FARTHEST)


PLUGIN = Photoprism
