"""Connected components: two photos are one person if a chain of near photos joins them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.types import Ints, PluginCard

from ._cluster.eps import EpsClusterer
from ._graph.neighbours import Graph, component_labels
from ._parameters.choice import DISTANCES


@dataclass(frozen=True)
class Components(EpsClusterer):
    """Single linkage cut at a distance; the transitive closure of a verification threshold.

    A photo by itself is noise (-1).

    Attributes:
        grid: The increasing candidates for eps.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="connected components of the graph of near photos; eps tuned on calibration identities",
        source="single linkage: Sneath, J. Gen. Microbiol. 1957; algorithm: Tarjan, SIAM J. Comput. 1972",
    )

    grid: tuple[float, ...] = DISTANCES

    def labels(self, graph: Graph) -> Ints:
        """See `EpsClusterer.labels`."""
        return component_labels(graph)


PLUGIN = Components
