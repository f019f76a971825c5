"""Connected components: two photos are one person if a chain of near photos joins them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from bench.types import Embeddings, Labels, PluginCard

from ._graph.neighbours import component_labels, neighbour_graph
from ._graph.search import Search
from ._parameters.choice import DISTANCES, best, check_calibration, check_distance


@dataclass(frozen=True)
class Components:
    """Single linkage cut at a distance; the transitive closure of a verification threshold.

    Attributes:
        eps: cosine distance up to which two photos are joined; None takes the best of `grid` on calibration
            identities.
        grid: increasing candidates for eps.
        exact_up_to: photos up to which all pairs are compared; beyond, neighbours come from inverted lists.
        probes: inverted lists in which a photo's neighbours are looked for.
        seed: of the sample that the lists are learned from.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="connected components of the graph of near photos; eps tuned on calibration identities",
        source="single linkage: Sneath, J. Gen. Microbiol. 1957; algorithm: Tarjan, SIAM J. Comput. 1972",
    )

    eps: float | None = None
    grid: tuple[float, ...] = DISTANCES
    exact_up_to: int = 30_000
    probes: int = 24
    seed: int = 0

    def calibrated(
        self, embeddings: Embeddings, people: Labels, objective: Callable[[Labels, Labels], float]
    ) -> Components:
        """A copy with the eps of `grid` that sorts the calibration identities best; as in `Dbscan`."""
        search = self._search()
        if self.eps is not None:
            return self
        check_calibration(people, len(embeddings))
        graph = neighbour_graph(embeddings, max(self.grid), search)
        eps = best(self.grid, lambda eps: objective(component_labels(graph.within(eps)), people))
        return replace(self, eps=eps)

    def cluster(self, embeddings: Embeddings) -> Labels:
        """Assign every embedding to a cluster, numbered from 0 by first appearance; alone is noise (-1).

        Raises:
            UserError: for parameters out of range.
            ValueError: before `calibrated` gave it an eps, for embeddings that are zero or not finite, and
                for more neighbours than memory should hold.
        """
        search = self._search()
        if self.eps is None:
            raise ValueError("components has no eps yet: calibrate it, or give one")
        return component_labels(neighbour_graph(embeddings, self.eps, search))

    def _search(self) -> Search:
        """How neighbours are looked for, once all parameters are seen to make sense."""
        check_distance("components", "eps", self.eps, self.grid)
        search = Search(self.exact_up_to, self.probes, self.seed)
        search.check("components")
        return search


PLUGIN = Components
