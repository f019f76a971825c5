"""Spectral clustering with as many clusters as there are people: an oracle, for nobody tells that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import numpy as np
from scipy.sparse import coo_array, csr_array, diags_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import eigsh

from bench.types import Embeddings, Floats, Ints, Labels, PluginCard

from ._cluster.oracle import grouped, told
from ._embeddings.order import in_content_order
from ._embeddings.rows import Floats32, unit_rows
from ._graph.search import Search, nearest
from ._parameters.choice import best, check_calibration, check_least

_DENSE_UP_TO = 3000  # photos: below, all eigenvectors at once are faster than some one after another


@dataclass(frozen=True)
class Spectral:
    """Normalised spectral clustering of the nearest-neighbour graph, the true number of people given.

    Attributes:
        people: clusters to make; None is what the framework says there are.
        neighbours: nearest neighbours that a photo is joined to; None takes the best of `grid` on calibration
            identities.
        vectors: eigenvectors of a connected part of the graph to use, at most; otherwise as many as people.
            Thousands of them take hours, and fewer find fewer people.
        restarts: first means to start k-means from; the result that is nearest to its means is taken.
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
    restarts: int = 4
    grid: tuple[int, ...] = (3, 5, 8, 12, 20)
    exact_up_to: int = 10_000
    probes: int = 24
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
            parts = _parts(self._graph(rows, neighbours), groups, self.vectors, self.seed)
            found = np.empty(len(rows), np.int64)
            for part in parts:
                names = np.zeros(part.photos.size, np.int64)
                if part.groups > 1:
                    names = grouped(part.points, part.groups, self.restarts, self.seed, self.exact_up_to)
                found[part.photos] = names * len(rows) + part.photos[0]
            return found

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
        check_least("spectral", "restarts", self.restarts, 1, 4)
        Search(self.exact_up_to, self.probes, self.seed).check("spectral")


class _Part(NamedTuple):
    """A connected component of the graph.

    Attributes:
        photos: their numbers.
        groups: people to find among them.
        points: [photo, eigenvector], rows of unit length.
    """

    photos: Ints
    groups: int
    points: Floats32


def _parts(graph: csr_array, people: int, vectors: int, seed: int) -> list[_Part]:
    """Each component's share of the leading eigenvectors, and so of the people (Ng et al. 2001).

    The eigenvectors of a graph in several components are those of its components. Of the leading ones of all,
    as many as people, a component gets as many people as are its own, and at least one: all first ones are
    equally leading, and where there are more components than people, there are more groups than people.
    """
    component = connected_components(graph, directed=False)[1]
    order = np.argsort(component, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(component[order])) + 1) if order.size else []
    walk = _normalised(graph)
    pairs = [_leading(walk[one][:, one], min(people, vectors), seed) for one in members]
    values = np.concatenate([value for value, _ in pairs]) if pairs else np.empty(0)
    owner = np.repeat(np.arange(len(pairs)), [value.size for value, _ in pairs])
    first = np.unique(owner, return_index=True)[1]
    values[first] = np.inf
    chosen = owner[np.argsort(-values, kind="stable")[: max(people, len(pairs))]]
    share = np.bincount(chosen, minlength=len(pairs))
    # Who is left over, because some eigenvectors were not computed, is among the most photos.
    largest = max(range(len(members)), key=lambda one: members[one].size, default=0)
    parts = []
    for number, (photos, (_, leading)) in enumerate(zip(members, pairs, strict=True)):
        points = leading[:, : share[number]]
        lengths = np.linalg.norm(points, axis=1, keepdims=True)
        unit = np.asarray(points / np.where(lengths > 0, lengths, 1), np.float32)
        groups = int(share[number]) + (max(0, people - chosen.size) if number == largest else 0)
        parts.append(_Part(photos.astype(np.int64), min(groups, photos.size), unit))
    return parts


def _normalised(graph: csr_array) -> csr_array:
    """D^-1/2 A D^-1/2; a photo without neighbours is joined to itself."""
    degree = np.asarray(graph.sum(axis=1)).ravel()
    alone = degree == 0
    scale = diags_array(1 / np.sqrt(np.where(alone, 1, degree)))
    return csr_array(scale @ (graph + diags_array(alone.astype(np.float64))) @ scale)


def _leading(walk: csr_array, vectors: int, seed: int) -> tuple[Floats, Floats]:
    """Largest eigenvalues of a connected graph, in order, and their eigenvectors in columns."""
    photos = walk.shape[0]
    if photos <= _DENSE_UP_TO or vectors >= photos - 1:
        values, points = np.linalg.eigh(walk.toarray())
    else:
        start = np.random.Generator(np.random.Philox(seed)).normal(size=photos)
        values, points = eigsh(walk, k=vectors, which="LA", v0=start, tol=1e-4)
    order = np.argsort(-values, kind="stable")[:vectors]
    return values[order], points[:, order]


PLUGIN = Spectral
