"""Embeddings as unit rows, and the size of a block of cosines."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats32 = npt.NDArray[np.float32]

BLOCK = 2**20
"""The number of cosines that are held at once: 4 MB in float32, about what a cache holds."""


def unit_rows(embeddings: npt.ArrayLike, name: str = "embeddings") -> Floats32:
    """The rows scaled to unit length, float32 [photo, dimension].

    Args:
        embeddings: [photo, dimension]. A photo without a face has no embedding: the caller leaves it out.
        name: The name of the embeddings in messages.

    Raises:
        ValueError: unless there are two axes and every row is finite and not zero.
    """
    rows = np.ascontiguousarray(embeddings, dtype=np.float32)
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise ValueError(f"{name} must be [photo, dimension], got shape {rows.shape}")
    if not np.isfinite(rows).all():
        raise ValueError(f"{name}: row {int(np.argmin(np.isfinite(rows).all(axis=1)))} is not finite")
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not lengths.all():
        raise ValueError(f"{name}: row {int(np.argmin(lengths))} is zero, it has no direction")
    return np.asarray(rows / lengths, np.float32)


def block_rows(columns: int) -> int:
    """The number of rows of `columns` cosines that may be held at once; at least 1."""
    return max(1, BLOCK // max(1, columns))
