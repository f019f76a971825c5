"""Average linkage by cosine distance without a distance matrix.

The mean cosine between two clusters of unit vectors is the product of the clusters' mean vectors: a sum and
a size describe a cluster. Average linkage is reducible (Bruynooghe 1977): clusters that are not near never
become near by merging, and two clusters that are nearest to each other stay so whatever else merges. So a
pair of clusters without a single pair of photos within the cut is never looked at, and all mutually nearest
clusters merge at once, in rounds (Murtagh 1983). The result is the exact dendrogram up to the cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from bench.types import Floats, Ints

from .._embeddings.numbering import without_singles
from .._embeddings.rows import Floats32
from .neighbours import Graph, joined
from .search import cosines

Similarity = TypeVar("Similarity", Floats32, Floats)

_DENSE = 16  # with a pair for every 16 possible ones, one product of matrices is faster than pair by pair
_DENSE_UP_TO = 8192  # clusters: 256 MB


@dataclass(frozen=True, slots=True)
class Merges:
    """A dendrogram: the pairs of clusters that merged, and the mean cosine distance of each merge.

    Attributes:
        photos: The number of photos.
        left: [merge], the lowest photo of one cluster.
        right: [merge], the lowest photo of the other cluster.
        distance: [merge], no lower than the distances of the merges that made the two clusters.
    """

    photos: int
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    distance: Floats32

    def cut(self, distance: float) -> Ints:
        """The clusters whose merges were at `distance` or less; a photo by itself is noise, -1."""
        below = self.distance <= np.float32(distance)
        return without_singles(joined(self.photos, self.left[below], self.right[below]))


def average_linkage(rows: Floats32, graph: Graph, cut: float) -> Merges:
    """All merges at mean cosine distance `cut` or less.

    Args:
        rows: [photo, dimension], unit vectors.
        graph: All pairs of photos within `cut`.
        cut: The cosine distance.
    """
    sums = rows.astype(np.float32).copy()
    sizes = np.ones(graph.photos, np.int64)
    left, right = graph.left.astype(np.int64), graph.right.astype(np.int64)
    alike = 1 - graph.distance
    floor = np.float32(1 - cut - 1e-6)
    height = np.full(graph.photos, 0, np.float32)  # the distance of a cluster's own last merge
    lefts, rights, heights = [], [], []
    while left.size:
        a, b, at = mutual(graph.photos, left, right, alike)
        # In exact numbers a merge is never lower than the merges before it; in rounded ones it might be.
        distance = np.maximum(np.maximum(1 - at, 0), np.maximum(height[a], height[b]))
        height[a] = distance
        lefts.append(a.astype(np.int32))
        rights.append(b.astype(np.int32))
        heights.append(distance.astype(np.float32))
        sums[a] += sums[b]
        sizes[a] += sizes[b]
        now = np.arange(graph.photos)
        now[b] = a
        left, right = now[left], now[right]
        left, right = np.minimum(left, right), np.maximum(left, right)
        other = left != right
        left, right, alike = left[other], right[other], alike[other]
        key, first = np.unique(left * graph.photos + right, return_index=True)
        left, right, alike = key // graph.photos, key % graph.photos, alike[first]
        touched = np.zeros(graph.photos, np.bool_)
        touched[a] = True
        stale = touched[left] | touched[right]
        alike[stale] = _mean_cosines(sums, sizes, left[stale], right[stale])
        near = alike >= floor
        left, right, alike = left[near], right[near], alike[near]
    if not lefts:
        none = np.empty(0, np.int32)
        return Merges(graph.photos, none, none, np.empty(0, np.float32))
    return Merges(graph.photos, np.concatenate(lefts), np.concatenate(rights), np.concatenate(heights))


def mutual(photos: int, left: Ints, right: Ints, alike: Similarity) -> tuple[Ints, Ints, Similarity]:
    """The pairs that are nearest to each other; of equally near partners each prefers the lowest number."""
    most = np.full(photos, -np.inf, alike.dtype)
    np.maximum.at(most, left, alike)
    np.maximum.at(most, right, alike)
    partner = np.full(photos, photos, np.int64)
    for ends, other_ends in ((left, right), (right, left)):
        tied = alike == most[ends]
        np.minimum.at(partner, ends[tied], other_ends[tied])
    mutual = (partner[left] == right) & (partner[right] == left)
    return left[mutual], right[mutual], alike[mutual]


def _mean_cosines(sums: Floats32, sizes: Ints, left: Ints, right: Ints) -> Floats32:
    """The mean cosine between the photos of two clusters, for each pair of clusters."""
    used, position = np.unique(np.concatenate([left, right]), return_inverse=True)
    means = (sums[used] / sizes[used, None]).astype(np.float32)
    i, j = position[: left.size], position[left.size :]
    if used.size <= _DENSE_UP_TO and left.size * _DENSE > used.size**2:
        return np.asarray((means @ means.T)[i, j], np.float32)
    return cosines(means, i, j)
