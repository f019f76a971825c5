"""DBSCAN over cosine distance: what photo managers' face groups do, in one form or another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.types import Ints, PluginCard

from ._cluster.eps import EpsClusterer
from ._graph.neighbours import Graph, dbscan_labels
from ._parameters.choice import DISTANCES
from ._parameters.ranges import check_least


@dataclass(frozen=True)
class Dbscan(EpsClusterer):
    """DBSCAN (Ester et al. 1996); scikit-learn's partition, without its n x n distances.

    Attributes:
        min_samples: The number of photos within eps, the photo itself included, that make a photo the core
            of a cluster.
        grid: The increasing candidates for eps.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="DBSCAN over cosine distance; eps tuned on calibration identities",
        source="Ester, Kriegel, Sander and Xu, KDD 1996",
    )

    min_samples: int = 3
    grid: tuple[float, ...] = DISTANCES

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        check_least(self.name, "min_samples", self.min_samples, 1, 3)

    def labels(self, graph: Graph) -> Ints:
        """See `EpsClusterer.labels`."""
        return dbscan_labels(graph, self.min_samples)


PLUGIN = Dbscan
