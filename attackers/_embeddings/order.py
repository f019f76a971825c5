"""An order of photos that their contents decide.

A collection is laid out by whoever made the experiment, person by person perhaps. An attacker that starts
somewhere, or visits photos one after another, must not read that order. It takes a seeded one instead, in
which a photo's place follows from its embedding alone; so the result does not depend on the listing either.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bench.types import Ints

from .numbering import by_first_appearance
from .rows import Floats32, unit_rows


def in_content_order(embeddings: Floats32, seed: int, work: Callable[[Floats32], Ints]) -> Ints:
    """What `work` says of unit rows that it is handed in a seeded order of their contents.

    Args:
        embeddings: [photo, dimension].
        seed: another seed, another order.
        work: unit rows -> int [photo], -1 for noise.

    Returns:
        int [photo] in the order of `embeddings`, clusters numbered from 0 by first appearance.

    Raises:
        ValueError: as in `unit_rows`.
    """
    rows = unit_rows(embeddings)
    order = content_order(rows, seed)
    labels = np.empty(len(rows), np.int64)
    labels[order] = work(rows[order])
    return by_first_appearance(labels)


def content_order(rows: Floats32, seed: int) -> Ints:
    """Numbers of rows, sorted by a seeded 64-bit hash of each row's bits; equal rows are neighbours."""
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
