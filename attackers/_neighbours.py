"""The neighbour graph of a set of embeddings, sparse, and DBSCAN's clusters in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ._embeddings import Floats32, block_rows, unit_rows

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Graph:
    """Pairs of photos that are near each other; each pair once, with the lower number in `left`.

    Attributes:
        photos: how many photos there are.
        left: [pair].
        right: [pair].
        distance: [pair] cosine distance, 1 - cosine similarity, in [0, 2].
    """

    photos: int
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    distance: Floats32

    def within(self, eps: float) -> Graph:
        """The part of the graph at cosine distance `eps` or less."""
        near = self.distance <= eps
        return Graph(self.photos, self.left[near], self.right[near], self.distance[near])


def neighbour_graph(embeddings: npt.ArrayLike, eps: float) -> Graph:
    """All pairs at cosine distance `eps` or less, found exactly, block by block over the upper triangle.

    Raises:
        ValueError: as in `unit_rows`.
    """
    rows = unit_rows(embeddings)
    photos = rows.shape[0]
    left, right, distance = [], [], []
    start = 0
    while start < photos:
        stop = min(photos, start + block_rows(photos - start))
        apart = rows[start:stop] @ rows[start:].T
        np.subtract(1, apart, out=apart)
        i, j = np.divmod(np.flatnonzero(apart <= eps), photos - start)
        later = j > i
        i, j = i[later], j[later]
        left.append((i + start).astype(np.int32))
        right.append((j + start).astype(np.int32))
        # Rounding can put twins a hair below zero.
        distance.append(np.maximum(apart[i, j], 0))
        start = stop
    if not left:
        nobody = np.empty(0, np.int32)
        return Graph(0, nobody, nobody, np.empty(0, np.float32))
    return Graph(photos, np.concatenate(left), np.concatenate(right), np.concatenate(distance))


def dbscan_labels(graph: Graph, min_samples: int) -> Ints:
    """The clusters of DBSCAN (Ester et al. 1996) in a graph that was cut at its eps.

    A core photo has at least `min_samples` photos within eps, itself included. Core photos that are near each
    other share a cluster. A photo near a core photo but not core itself is a border photo and may be near
    several clusters: it goes to the one whose first core photo comes first, as in scikit-learn.

    Returns:
        int [photo], clusters numbered from 0 by first appearance, -1 for noise.
    """
    degree = np.bincount(graph.left, minlength=graph.photos) + np.bincount(
        graph.right, minlength=graph.photos
    )
    core = degree + 1 >= min_samples
    between = core[graph.left] & core[graph.right]
    links = coo_array(
        (np.ones(int(between.sum()), np.bool_), (graph.left[between], graph.right[between])),
        shape=(graph.photos, graph.photos),
    )
    component = connected_components(links, directed=False)[1].astype(np.int64)

    # Name a component by its first core photo, so that names sort in order of discovery.
    outside = graph.photos
    first = np.full(graph.photos, outside, np.int64)
    cores = np.flatnonzero(core)
    np.minimum.at(first, component[cores], cores)
    label = np.where(core, first[component], outside)
    border = label.copy()
    for inner, outer in ((graph.left, graph.right), (graph.right, graph.left)):
        reach = core[inner] & ~core[outer]
        np.minimum.at(border, outer[reach], label[inner[reach]])
    return by_first_appearance(np.where(border == outside, -1, border))


def by_first_appearance(labels: Ints) -> Ints:
    """The same clusters numbered 0, 1, … in the order in which their first photos come; -1 stays."""
    found = labels != -1
    names, first, group = np.unique(labels[found], return_index=True, return_inverse=True)
    rank = np.empty(names.size, np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(names.size)
    result = np.full(labels.shape, -1, np.int64)
    result[found] = rank[group]
    return result
