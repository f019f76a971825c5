"""The sparse graph of near photos, and the clusters that follow from its connections alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from bench.types import Ints

from .._embeddings.numbering import by_first_appearance, without_singles
from .._embeddings.rows import Floats32, unit_rows
from .search import Numbers, near_pairs
from .searching import EXACT, Searching


@dataclass(frozen=True, slots=True)
class Graph:
    """Pairs of photos that are near each other; each pair once, with the lower number in `left`.

    Attributes:
        photos: The number of photos.
        left: [pair], the lower photo of each pair.
        right: [pair], the higher photo of each pair.
        distance: [pair], the cosine distance, 1 - cosine similarity, in [0, 2].
    """

    photos: int
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    distance: Floats32

    def within(self, eps: float) -> Graph:
        """The part of the graph at cosine distance `eps` or less."""
        return self._only(self.distance <= np.float32(eps))

    def nearest(self, count: int) -> Graph:
        """The pairs in which at least one photo is among the `count` nearest of the other."""
        ends = np.concatenate([self.left, self.right])
        order = np.lexsort((np.concatenate([self.right, self.left]), np.tile(self.distance, 2), ends))
        starts = np.searchsorted(ends[order], np.arange(self.photos))
        rank = np.empty(ends.size, np.int64)
        rank[order] = np.arange(ends.size) - starts[ends[order]]
        return self._only(np.logical_or(*(rank < count).reshape(2, -1)))

    def alike(self) -> csr_array:
        """The symmetric [photo, photo] matrix of cosine similarity, the columns of a row sorted."""
        ends = np.concatenate([self.left, self.right]), np.concatenate([self.right, self.left])
        matrix = csr_array(
            (np.tile(1 - self.distance, 2).astype(np.float64), ends), shape=(self.photos, self.photos)
        )
        matrix.sort_indices()
        return matrix

    def _only(self, pairs: npt.NDArray[np.bool_]) -> Graph:
        return Graph(self.photos, self.left[pairs], self.right[pairs], self.distance[pairs])


def neighbour_graph(embeddings: npt.ArrayLike, eps: float, search: Searching = EXACT) -> Graph:
    """All pairs at cosine distance `eps` or less, or as many of them as the search finds.

    Args:
        embeddings: [photo, dimension]; only the direction of a row matters.
        eps: The cosine distance.
        search: How neighbours are looked for.

    Raises:
        ValueError: as in `unit_rows` and `near_pairs`.
    """
    rows = unit_rows(embeddings)
    # The floor is a rounding lower: the distance alone decides which photos are near.
    left, right, alike = near_pairs(rows, 1 - eps - 1e-6, search)
    # Rounding can put twins a hair below zero.
    graph = Graph(rows.shape[0], left, right, np.maximum(1 - alike, 0))
    return graph.within(eps)


def dbscan_labels(graph: Graph, min_samples: int) -> Ints:
    """The clusters of DBSCAN (Ester et al. 1996) in a graph that was cut at its eps.

    A core photo has at least `min_samples` photos within eps, itself included. Core photos that are near each
    other share a cluster. A photo near a core photo but not core itself is a border photo and may be near
    several clusters: it joins the cluster whose first core photo comes first, as in scikit-learn.

    Returns:
        int [photo], clusters numbered from 0 by first appearance, -1 for noise.
    """
    degree = np.bincount(graph.left, minlength=graph.photos) + np.bincount(
        graph.right, minlength=graph.photos
    )
    core = degree + 1 >= min_samples
    between = core[graph.left] & core[graph.right]
    component = joined(graph.photos, graph.left[between], graph.right[between])

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


def component_labels(graph: Graph) -> Ints:
    """The connected components, numbered from 0 by first appearance; a photo by itself is noise, -1."""
    return without_singles(joined(graph.photos, graph.left, graph.right))


def joined(photos: int, left: npt.NDArray[np.int32], right: npt.NDArray[np.int32]) -> Ints:
    """The connected component of each photo, singles included."""
    links = coo_array((np.ones(left.size, np.bool_), (left, right)), shape=(photos, photos))
    return np.asarray(connected_components(links, directed=False)[1], np.int64)


def listed_pairs(lists: Numbers) -> tuple[Ints, Ints]:
    """The pairs of which one is on the list of the other, each once and sorted: lower and higher photos."""
    photos, k = lists.shape
    owner, entry = np.repeat(np.arange(photos, dtype=np.int64), k), lists.ravel().astype(np.int64)
    owner, entry = owner[entry >= 0], entry[entry >= 0]
    key = np.unique(np.minimum(owner, entry) * photos + np.maximum(owner, entry))
    return key // max(1, photos), key % max(1, photos)
