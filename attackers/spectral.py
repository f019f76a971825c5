"""Spectral clustering with as many clusters as there are people: an oracle, for nobody tells that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy.sparse import coo_array, csr_array, diags_array
from scipy.sparse.linalg import eigsh

from bench.types import Embeddings, Labels, PluginCard

from ._embeddings import Floats32, unit_rows
from ._neighbours import Ints
from ._oracle import grouped, told
from ._order import in_content_order
from ._search import Search, nearest
from ._tuning import best, check_calibration, check_least

_DENSE_UP_TO = 3000  # photos: below, all eigenvectors at once are faster than some one after another


@dataclass(frozen=True)
class Spectral:
    """Normalised spectral clustering of the nearest-neighbour graph, the true number of people given.

    Attributes:
        people: clusters to make; None is what the framework says there are.
        neighbours: nearest neighbours that a photo is joined to; None takes the best of `grid` on calibration
            identities.
        vectors: eigenvectors to use, at most; otherwise as many as people. With thousands of people all of
            them take hours, and fewer find fewer people.
        grid: candidates for neighbours.
        exact_up_to: photos up to which neighbours are exact, and k-means sees all photos at every step.
        probes: inverted lists in which a photo's neighbours are looked for, beyond that size.
        seed: of the first means, and of the sample that the lists are learned from.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="spectral clustering of the neighbour graph, told the true number of people (an oracle)",
        source="Shi and Malik, IEEE TPAMI 2000; Ng, Jordan and Weiss, NIPS 2001",
        oracle=True,
    )

    people: int | None = None
    neighbours: int | None = None
    vectors: int = 256
    grid: tuple[int, ...] = (3, 5, 8, 12, 20)
    exact_up_to: int = 10_000
    probes: int = 32
    seed: int = 0

    def calibrated(
        self, embeddings: Embeddings, people: Labels, objective: Callable[[Labels, Labels], float]
    ) -> Spectral:
        """A copy with the number of neighbours of `grid` that sorts the calibration identities best.

        Here, too, the number of people is the true one: of the calibration identities.

        Raises:
            UserError: for fewer than two identities, none with two photos, or parameters out of range.
            ValueError: for embeddings that are zero or not finite.
        """
        self._check()
        if self.neighbours is not None:
            return self
        check_calibration(people, len(embeddings))
        count = int(np.unique(people).size)

        def score(neighbours: int) -> float:
            tried = replace(self, people=count, neighbours=neighbours)
            return objective(tried.cluster(embeddings), people)

        return replace(self, neighbours=best(self.grid, score))

    def informed(self, people: int) -> Spectral:
        """A copy that knows how many people there are; a number that was given stays."""
        return self if self.people is not None else replace(self, people=people)

    def cluster(self, embeddings: Embeddings) -> Labels:
        """Assign every embedding to a cluster, numbered from 0 by first appearance; nobody is noise.

        Raises:
            UserError: for parameters out of range.
            ValueError: before `calibrated` gave it a number of neighbours, before it was told how many people
                there are, and for embeddings that are zero or not finite.
        """
        self._check()
        neighbours = self.neighbours
        if neighbours is None:
            raise ValueError("spectral has no number of neighbours yet: calibrate it, or give one")
        groups = told("spectral", self.people, len(unit_rows(embeddings)))

        def labels(rows: Floats32) -> Ints:
            if len(rows) <= 2 or groups == 1:
                return np.arange(len(rows), dtype=np.int64) % max(1, groups)
            points = _embedded(self._graph(rows, neighbours), min(groups, self.vectors, len(rows)), self.seed)
            return grouped(points, groups, self.seed, self.exact_up_to)

        return in_content_order(embeddings, self.seed, labels)

    def _graph(self, rows: Floats32, neighbours: int) -> csr_array:
        """Symmetric [photo, photo]: cosine similarity of nearest neighbours, those below zero left out."""
        who, alike = nearest(rows, neighbours, Search(self.exact_up_to, self.probes, self.seed))
        near = (who >= 0) & (alike > 0)
        one = np.broadcast_to(np.arange(len(rows))[:, None], who.shape)[near]
        directed = coo_array((alike[near].astype(np.float64), (one, who[near])), shape=(len(rows),) * 2)
        return csr_array(directed + directed.T) / 2

    def _check(self) -> None:
        """See that the parameters make sense; the constructor only stores them."""
        check_least("spectral", "people", self.people, 1, 100)
        check_least("spectral", "neighbours", self.neighbours, 1, 8)
        check_least("spectral", "grid", min(self.grid, default=0), 1, 8)
        check_least("spectral", "vectors", self.vectors, 1, 256)
        Search(self.exact_up_to, self.probes, self.seed).check("spectral")


def _embedded(graph: csr_array, vectors: int, seed: int) -> Floats32:
    """Rows of the leading eigenvectors of D^-1/2 A D^-1/2, each of unit length (Ng et al. 2001).

    A photo without neighbours is joined to itself, so that it is a component of its own.
    """
    photos = graph.shape[0]
    degree = np.asarray(graph.sum(axis=1)).ravel()
    alone = degree == 0
    scale = 1 / np.sqrt(np.where(alone, 1, degree))
    walk = diags_array(scale) @ (graph + diags_array(alone.astype(np.float64))) @ diags_array(scale)
    if photos <= _DENSE_UP_TO:
        points = np.linalg.eigh(walk.toarray())[1][:, -vectors:]
    else:
        start = np.random.Generator(np.random.Philox(seed)).normal(size=photos)
        points = eigsh(walk, k=vectors, which="LA", v0=start, tol=1e-4)[1]
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    return np.asarray(points / np.where(lengths > 0, lengths, 1), np.float32)


PLUGIN = Spectral
