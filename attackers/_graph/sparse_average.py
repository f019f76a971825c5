"""Average linkage of a sparse graph: pairs that the graph leaves out have nothing in common.

The mean similarity of two clusters is the sum over the pairs between them, divided by all pairs that there
could be. A sum and two sizes describe a pair of clusters, and sums add up when clusters merge. Average
linkage is reducible (Bruynooghe 1977), so all mutually nearest clusters merge at once, in rounds (Murtagh
1983).
"""

from __future__ import annotations

import numpy as np

from bench.types import Floats, Ints

from .average import Merges, mutual
from .neighbours import Graph


def sparse_average_linkage(graph: Graph, cut: float) -> Merges:
    """All merges at mean distance `cut` or less, a pair that is not in the graph being at distance 1.

    Of equally near partners, each cluster prefers the one with the lowest photo.

    Args:
        graph: Pairs of photos at distances from 0 to 1.
        cut: The mean distance, less than 1.
    """
    photos = graph.photos
    left, right = graph.left.astype(np.int64), graph.right.astype(np.int64)
    total = 1 - graph.distance.astype(np.float64)
    sizes = np.ones(photos)
    height = np.zeros(photos)  # the distance of a cluster's own last merge
    floor = 1 - cut - 1e-9
    lefts, rights, heights = [], [], []
    while left.size:
        mean = total / (sizes[left] * sizes[right])
        near = mean >= floor
        a, b, alike = mutual(photos, left[near], right[near], mean[near])
        if a.size == 0:
            break
        # In exact numbers a merge is never lower than the merges before it; in rounded ones it might be.
        distance = np.maximum(np.maximum(1 - alike, 0), np.maximum(height[a], height[b]))
        height[a] = distance
        lefts.append(a.astype(np.int32))
        rights.append(b.astype(np.int32))
        heights.append(distance.astype(np.float32))
        sizes[a] += sizes[b]
        left, right, total = _merged(photos, left, right, total, a, b)
    if not lefts:
        none = np.empty(0, np.int32)
        return Merges(photos, none, none, np.empty(0, np.float32))
    return Merges(photos, np.concatenate(lefts), np.concatenate(rights), np.concatenate(heights))


def _merged(
    photos: int, left: Ints, right: Ints, total: Floats, a: Ints, b: Ints
) -> tuple[Ints, Ints, Floats]:
    """The pairs of clusters after each cluster of `b` became part of its cluster of `a`, and their sums."""
    now = np.arange(photos)
    now[b] = a
    left, right = now[left], now[right]
    apart = left != right
    low, high = np.minimum(left, right)[apart], np.maximum(left, right)[apart]
    key, pair = np.unique(low * photos + high, return_inverse=True)
    sums = np.bincount(pair, weights=total[apart], minlength=key.size)
    return key // photos, key % photos, np.asarray(sums, np.float64)
