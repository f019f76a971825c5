"""An order of photos that their contents decide.

The experiment lists a collection in its own order, perhaps person by person. An attacker that starts at some
photo, or visits photos one after another, must not read that order. It takes a seeded order instead, in which
a photo's place follows from its embedding alone. So the result does not depend on the listing either.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bench.types import Ints

from .numbering import by_first_appearance
from .rows import Floats32, unit_rows


def in_content_order(embeddings: Floats32, seed: int, cluster: Callable[[Floats32], Ints]) -> Ints:
    """The clusters that `cluster` makes of unit rows in a seeded order of their contents.

    Args:
        embeddings: [photo, dimension].
        seed: The seed of the order.
        cluster: unit rows -> int [photo], -1 for noise.

    Returns:
        int [photo] in the order of `embeddings`, clusters numbered from 0 by first appearance.

    Raises:
        ValueError: as in `unit_rows`.
    """
    rows = unit_rows(embeddings)
    order = content_order(rows, seed)
    return put_back(cluster(rows[order]), order)


def put_back(labels: Ints, order: Ints) -> Ints:
    """The clusters of photos in the order in which the photos were given.

    Args:
        labels: int [photo], the clusters of `rows[order]`, -1 for noise.
        order: int [photo], from `content_order`.

    Returns:
        int [photo], clusters numbered from 0 by first appearance.
    """
    given = np.empty(order.size, np.int64)
    given[order] = labels
    return by_first_appearance(given)


def content_order(rows: Floats32, seed: int) -> Ints:
    """The numbers of the rows, sorted by a seeded 64-bit hash of each row's bits.

    Equal rows come one after another.
    """
    factors = np.random.Generator(np.random.Philox(seed)).integers(
        0, 2**64, size=rows.shape[1], dtype=np.uint64, endpoint=False
    )
    bits = np.ascontiguousarray(rows + np.float32(0)).view(np.uint32)  # minus zero is zero
    hashes = np.empty(len(rows), np.uint64)
    step = max(1, 2**22 // rows.shape[1])
    for start in range(0, len(rows), step):
        part = bits[start : start + step].astype(np.uint64)
        # Only the upper half of a product with an odd factor is well mixed.
        mixed = part * (factors | np.uint64(1))
        hashes[start : start + step] = (mixed ^ (mixed >> np.uint64(29))).sum(axis=1, dtype=np.uint64)
    return np.argsort(hashes, kind="stable")
