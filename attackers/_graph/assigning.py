"""The second step of two-stage attackers: photos without a cluster, and the clusters' means."""

from __future__ import annotations

import numpy as np

from bench.types import Ints

from .._embeddings.numbering import members
from .._embeddings.rows import Floats32
from .search import cosines, row_index
from .searching import Searching

CANDIDATES = 8
"""The number of nearest means that a photo is measured against."""


def cluster_means(rows: Floats32, labels: Ints) -> Floats32:
    """The mean direction of each cluster: unit rows [cluster, dimension].

    Args:
        rows: [photo, dimension], unit vectors.
        labels: int [photo], clusters numbered densely from 0, -1 for noise.

    Returns:
        The mean of a cluster whose photos cancel out is its first photo.
    """
    clusters = members(labels)
    if not clusters:
        return np.empty((0, rows.shape[1]), np.float32)
    order = np.concatenate(clusters)
    starts = np.cumsum([0, *map(len, clusters[:-1])])
    sums = np.add.reduceat(rows[order].astype(np.float64), starts, axis=0)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    means = np.where(lengths > 1e-6, sums / np.maximum(lengths, 1e-6), rows[order[starts]])
    return np.asarray(means, np.float32)


def nearest_means(photos: Floats32, means: Floats32, search: Searching) -> tuple[Ints, Floats32]:
    """The nearest means of each photo, nearest first; of equally near means the lower number first.

    Args:
        photos: [photo, dimension], unit vectors.
        means: [cluster, dimension], unit vectors; at least one.
        search: How means are looked for: all of them, or in inverted lists where photos and means together
            are more than `exact_up_to`.

    Returns:
        Numbers [photo, k] and Euclidean distances [photo, k], k = min(8, clusters). Where lists find fewer
        than k, the rest is at an infinite distance.
    """
    k = min(CANDIDATES, len(means))
    index = row_index(means, search, lists=len(photos) + len(means) > search.exact_up_to)
    numbers = index.search(photos, k)[1] if len(photos) else np.empty((0, k), np.int64)
    found = numbers >= 0
    together = np.concatenate([photos, means])
    left = np.repeat(np.arange(len(photos)), k)
    alike = cosines(together, left, np.maximum(numbers, 0).ravel() + len(photos)).reshape(numbers.shape)
    distance = np.where(found, np.sqrt(np.maximum(2 - 2 * alike, 0)), np.inf).astype(np.float32)
    order = np.lexsort((numbers, distance))
    return np.take_along_axis(numbers, order, 1), np.take_along_axis(distance, order, 1)
