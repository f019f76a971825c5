"""PhotoPrism's face clustering, with the parameters that it is shipped with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from bench.types import Embeddings, Labels, PluginCard

from ._graph.neighbours import dbscan_labels, neighbour_graph
from ._graph.search import Search
from ._parameters.choice import check_distance, check_least


@dataclass(frozen=True)
class Photoprism:
    """DBSCAN over Euclidean distance with fixed parameters; never tuned, whatever the encoder.

    What PhotoPrism does afterwards, matching later photos to the clusters it has, is not part of it.

    Attributes:
        radius: Euclidean distance of unit vectors up to which two photos are neighbours.
        core: photos within the radius, itself included, that make a photo the core of a cluster.
        exact_up_to: photos up to which all pairs are compared; beyond, neighbours come from inverted lists.
        probes: inverted lists in which a photo's neighbours are looked for.
        seed: of the sample that the lists are learned from.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="DBSCAN as in PhotoPrism: Euclidean distance .64, core 4; not tuned",
        source="preset of photoprism.app: ClusterDist .64, ClusterCore 4",
    )

    radius: float = 0.64
    core: int = 4
    exact_up_to: int = 30_000
    probes: int = 24
    seed: int = 0

    def calibrated(
        self, embeddings: Embeddings, people: Labels, objective: Callable[[Labels, Labels], float]
    ) -> Photoprism:
        """Itself: the product's parameters are what they are."""
        del embeddings, people, objective
        return self

    def cluster(self, embeddings: Embeddings) -> Labels:
        """Assign every embedding to a cluster, numbered from 0 by first appearance, or to noise (-1).

        Raises:
            UserError: for parameters out of range.
            ValueError: for embeddings that are zero or not finite.
        """
        check_distance("photoprism", "radius", self.radius, (self.radius,))
        check_least("photoprism", "core", self.core, 1, 4)
        search = Search(self.exact_up_to, self.probes, self.seed)
        search.check("photoprism")
        # For unit vectors |a - b|^2 = 2 (1 - cos).
        return dbscan_labels(neighbour_graph(embeddings, self.radius**2 / 2, search), self.core)


PLUGIN = Photoprism
