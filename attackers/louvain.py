"""Louvain communities of the graph of near photos."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from bench.errors import UserError
from bench.types import Embeddings, Labels, PluginCard

from ._embeddings.order import content_order, in_content_order
from ._embeddings.rows import Floats32, unit_rows
from ._graph.louvain import louvain_labels
from ._graph.neighbours import Graph, neighbour_graph
from ._graph.search import Search
from ._parameters.choice import DISTANCES, best, check_calibration, check_distance, check_least


@dataclass(frozen=True)
class Louvain:
    """Louvain communities of the graph of near photos, weighted by cosine similarity.

    Attributes:
        eps: cosine distance up to which two photos are neighbours; None takes the best of `grid` on
            calibration identities.
        penalty: similarity that two photos must have above what the product of their totals makes likely:
            gamma / 2m of modularity. None takes the best of `penalty_grid` at the best eps.
        neighbours: nearest neighbours within eps that a photo is joined to, and those that it is among.
        grid: increasing candidates for eps, tried at the middle penalty.
        penalty_grid: candidates for penalty.
        exact_up_to: photos up to which all pairs are compared; beyond, neighbours come from inverted lists.
        probes: inverted lists in which a photo's neighbours are looked for.
        seed: of the order in which photos are visited, and of the sample that the lists are learned from.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="Louvain communities of the graph of near photos; tuned on calibration identities",
        source="Blondel, Guillaume, Lambiotte and Lefebvre, J. Stat. Mech. 2008",
    )

    eps: float | None = None
    penalty: float | None = None
    neighbours: int = 64
    grid: tuple[float, ...] = DISTANCES
    penalty_grid: tuple[float, ...] = (0.0001, 0.0003, 0.001, 0.003, 0.01)
    exact_up_to: int = 30_000
    probes: int = 24
    seed: int = 0

    def calibrated(
        self, embeddings: Embeddings, people: Labels, objective: Callable[[Labels, Labels], float]
    ) -> Louvain:
        """A copy with the eps and the penalty that sort the calibration identities best; as in `Dbscan`."""
        self._check()
        if self.eps is not None and self.penalty is not None:
            return self
        check_calibration(people, len(embeddings))
        rows = unit_rows(embeddings)
        order = content_order(rows, self.seed)
        truth = people[order]
        graph = self._graph(rows[order], max(self.grid) if self.eps is None else self.eps)

        def score(eps: float, penalty: float) -> float:
            return objective(louvain_labels(graph.within(eps), penalty, self.seed), truth)

        middle = self.penalty_grid[len(self.penalty_grid) // 2] if self.penalty is None else self.penalty
        eps = best(self.grid, lambda one: score(one, middle)) if self.eps is None else self.eps
        if self.penalty is not None:
            return replace(self, eps=eps)
        return replace(self, eps=eps, penalty=best(self.penalty_grid, lambda one: score(eps, one)))

    def cluster(self, embeddings: Embeddings) -> Labels:
        """Assign every embedding to a cluster, numbered from 0 by first appearance; alone is noise (-1).

        Raises:
            UserError: for parameters out of range.
            ValueError: before `calibrated` gave it eps and penalty, for embeddings that are zero or not
                finite, and for more neighbours than memory should hold.
        """
        self._check()
        eps, penalty = self.eps, self.penalty
        if eps is None or penalty is None:
            raise ValueError("louvain is not tuned yet: calibrate it, or give eps and penalty")
        return in_content_order(
            embeddings, self.seed, lambda rows: louvain_labels(self._graph(rows, eps), penalty, self.seed)
        )

    def _graph(self, rows: Floats32, eps: float) -> Graph:
        search = Search(self.exact_up_to, self.probes, self.seed)
        return neighbour_graph(rows, eps, search).nearest(self.neighbours)

    def _check(self) -> None:
        """See that the parameters make sense; the constructor only stores them."""
        check_distance("louvain", "eps", self.eps, self.grid)
        check_least("louvain", "neighbours", self.neighbours, 1, 64)
        if not self.penalty_grid or min(self.penalty_grid) < 0 or (self.penalty or 0) < 0:
            raise UserError("louvain: penalty must be at least 0. Leave it out, or try penalty=0.001.")
        Search(self.exact_up_to, self.probes, self.seed).check("louvain")


PLUGIN = Louvain
