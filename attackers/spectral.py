"""Spectral clustering with as many clusters as there are people: an oracle, for nobody tells that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar, NamedTuple

import numpy as np
from scipy.sparse import coo_array, csr_array, diags_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import eigsh

from bench.types import Embeddings, Floats, Ints, Labels, PluginCard

from ._cluster.oracle import Oracle, kmeans_labels
from ._embeddings.order import in_content_order
from ._embeddings.rows import Floats32, unit_rows
from ._graph.search import nearest
from ._graph.searching import Searching
from ._parameters.choice import best, check_calibration
from ._parameters.ranges import check_least

_DENSE_UP_TO = 3000  # photos: below, all eigenvectors at once are faster than some one after another


@dataclass(frozen=True)
class Spectral(Oracle, Searching):
    """Normalised spectral clustering of the nearest-neighbour graph, the true number of people given.

    The seed also decides the first means of k-means.

    Attributes:
        neighbours: The number of nearest neighbours that a photo is joined to; None takes the best of `grid`
            on calibration identities.
        vectors: The number of eigenvectors of a connected part of the graph, at most; otherwise as many as
            people. Thousands of eigenvectors take hours, and fewer of them separate fewer people.
        restarts: The number of tries of k-means, from other first means each. The result is taken in which
            the points are nearest to their means.
        grid: The candidates for neighbours.
        exact_up_to: The number of photos up to which neighbours are exact, and every step of k-means sees all
            photos.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="spectral clustering of the neighbour graph, told the true number of people (an oracle)",
        source="Shi and Malik, IEEE TPAMI 2000; Ng, Jordan and Weiss, NIPS 2001",
        oracle=True,
    )

    neighbours: int | None = None
    vectors: int = 256
    restarts: int = 4
    grid: tuple[int, ...] = (3, 5, 8, 12, 20)
    exact_up_to: int = field(default=10_000, kw_only=True)

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        check_least(self.name, "neighbours", self.neighbours, 1, 8)
        check_least(self.name, "grid", min(self.grid, default=0), 1, 8)
        check_least(self.name, "vectors", self.vectors, 1, 256)
        check_least(self.name, "restarts", self.restarts, 1, 4)

    def calibrated(
        self, embeddings: Embeddings, people: Labels, objective: Callable[[Labels, Labels], float]
    ) -> Spectral:
        """A copy with the number of neighbours of `grid` that sorts the calibration identities best.

        The attacker is told the true number of calibration identities. See `EpsClusterer.calibrated`.
        """
        self.check()
        if self.neighbours is not None:
            return self
        check_calibration(people, len(embeddings))
        count = int(np.unique(people).size)

        def score(neighbours: int) -> float:
            candidate = replace(self, people=count, neighbours=neighbours)
            return objective(candidate.cluster(embeddings), people)

        return replace(self, neighbours=best(self.grid, score))

    def cluster(self, embeddings: Embeddings) -> Labels:
        """Assign every embedding to a cluster, numbered from 0 by first appearance; no photo is noise.

        Raises:
            UserError: for parameters out of range.
            ValueError: before `calibrated` gave it a number of neighbours, before it was told how many people
                there are, and for embeddings that are zero or not finite.
        """
        self.check()
        neighbours = self.neighbours
        if neighbours is None:
            raise ValueError(f"{self.name} has no number of neighbours yet: calibrate it, or give one")
        groups = self.groups(len(unit_rows(embeddings)))

        def labels(rows: Floats32) -> Ints:
            parts = _parts(self._graph(rows, neighbours), groups, self.vectors, self.seed)
            clusters = np.empty(len(rows), np.int64)
            for part in parts:
                names = np.zeros(part.photos.size, np.int64)
                if part.groups > 1:
                    names = kmeans_labels(
                        part.points, part.groups, self.restarts, self.seed, self.exact_up_to
                    )
                clusters[part.photos] = names * len(rows) + part.photos[0]
            return clusters

        return in_content_order(embeddings, self.seed, labels)

    def _graph(self, rows: Floats32, neighbours: int) -> csr_array:
        """Symmetric [photo, photo]: the cosine of nearest neighbours, without cosines below zero."""
        others, alike = nearest(rows, neighbours, self)
        near = (others >= 0) & (alike > 0)
        photos = np.broadcast_to(np.arange(len(rows))[:, None], others.shape)[near]
        directed = coo_array((alike[near].astype(np.float64), (photos, others[near])), shape=(len(rows),) * 2)
        return csr_array(directed + directed.T) / 2


class _Part(NamedTuple):
    """A connected component of the graph.

    Attributes:
        photos: The numbers of the photos in it.
        groups: The number of people to find among them.
        points: [photo, eigenvector], rows of unit length.
    """

    photos: Ints
    groups: int
    points: Floats32


def _parts(graph: csr_array, people: int, vectors: int, seed: int) -> list[_Part]:
    """Each component's share of the leading eigenvectors, and so of the people (Ng et al. 2001).

    The eigenvectors of a graph in several components are those of its components. As many leading
    eigenvectors are taken as there are people; a component gets a person for each of them that is its own.
    The first eigenvectors of all components are equally leading, so every component gets at least one person.
    If there are more components than people, there are more groups than people.
    """
    component = connected_components(graph, directed=False)[1]
    order = np.argsort(component, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(component[order])) + 1) if order.size else []
    walk = _normalised(graph)
    pairs = [_leading(walk[part][:, part], min(people, vectors), seed) for part in members]
    values = np.concatenate([value for value, _ in pairs]) if pairs else np.empty(0)
    owner = np.repeat(np.arange(len(pairs)), [value.size for value, _ in pairs])
    first = np.unique(owner, return_index=True)[1]
    values[first] = np.inf
    chosen = owner[np.argsort(-values, kind="stable")[: max(people, len(pairs))]]
    share = np.bincount(chosen, minlength=len(pairs))
    # People are left over where some eigenvectors were not computed: the largest component gets them.
    largest = max(range(len(members)), key=lambda number: members[number].size, default=0)
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
    """The largest eigenvalues of a connected graph, in order, and their eigenvectors in columns."""
    photos = walk.shape[0]
    if photos <= _DENSE_UP_TO or vectors >= photos - 1:
        values, points = np.linalg.eigh(walk.toarray())
    else:
        start = np.random.Generator(np.random.Philox(seed)).normal(size=photos)
        values, points = eigsh(walk, k=vectors, which="LA", v0=start, tol=1e-4)
    order = np.argsort(-values, kind="stable")[:vectors]
    return values[order], points[:, order]


PLUGIN = Spectral
