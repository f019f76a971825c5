"""PhotoPrism's face clustering, with the parameters that it is shipped with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.types import Embeddings, Labels, PluginCard

from ._cluster.untuned import Untuned
from ._graph.neighbours import dbscan_labels, neighbour_graph
from ._graph.searching import Searching
from ._parameters.ranges import check_distance, check_least


@dataclass(frozen=True)
class Photoprism(Untuned, Searching):
    """DBSCAN over Euclidean distance with fixed parameters; never tuned, whatever the encoder.

    PhotoPrism afterwards matches later photos to its clusters. That step is not part of this attacker.

    Attributes:
        radius: The Euclidean distance of unit vectors up to which two photos are neighbours.
        core: The number of photos within the radius, the photo itself included, that make a photo the core
            of a cluster.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="DBSCAN as in PhotoPrism: Euclidean distance .64, core 4; not tuned",
        source="preset of photoprism.app: ClusterDist .64, ClusterCore 4",
    )

    radius: float = 0.64
    core: int = 4

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        check_distance(self.name, "radius", self.radius, (self.radius,))
        check_least(self.name, "core", self.core, 1, 4)

    def cluster(self, embeddings: Embeddings) -> Labels:
        """Assign every embedding to a cluster, numbered from 0 by first appearance, or to noise (-1).

        Raises:
            UserError: for parameters out of range.
            ValueError: for embeddings that are zero or not finite.
        """
        self.check()
        # For unit vectors |a - b|^2 = 2 (1 - cos).
        return dbscan_labels(neighbour_graph(embeddings, self.radius**2 / 2, self), self.core)


PLUGIN = Photoprism
