"""The Leiden communities of a weighted graph, by the package of the method's authors."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from bench.types import Ints

from .._embeddings.numbering import without_singles
from .neighbours import Graph

_ROUNDS = 10
"""Rounds at most; a round begins with the communities of the one before it."""


def leiden_labels(graph: Graph, penalty: float, seed: int) -> Ints:
    """The communities by the Leiden method (Traag, Waltman and van Eck 2019).

    Args:
        graph: The pairs of near photos.
        penalty: As in `louvain_labels`; at least 0.
        seed: The seed of the order in which photos are visited.

    Returns:
        int [photo], clusters numbered from 0 by first appearance; a photo by itself is noise, -1.
    """
    with _without_matplotlib():
        import igraph
        import leidenalg

    if not graph.left.size:
        return np.full(graph.photos, -1, np.int64)
    weights = np.maximum(1 - graph.distance.astype(np.float64), 0)
    pairs = np.stack([graph.left, graph.right], axis=1)
    partition = leidenalg.find_partition(
        igraph.Graph(graph.photos, pairs),
        leidenalg.RBConfigurationVertexPartition,
        weights=weights.tolist(),
        n_iterations=_ROUNDS,
        seed=seed,
        resolution_parameter=penalty * 2 * float(weights.sum()),
    )
    return without_singles(np.asarray(partition.membership, np.int64))


@contextmanager
def _without_matplotlib() -> Iterator[None]:
    """Keep igraph from loading matplotlib, which would write a list of fonts into the user's home.

    Matplotlib is hidden while igraph is loaded, once in a process. An igraph that is loaded that way cannot
    draw with matplotlib; one that was loaded before stays as it is.
    """
    if "igraph" in sys.modules or "matplotlib" in sys.modules:
        yield
        return
    sys.modules["matplotlib"] = None  # type: ignore[assignment]  # Python's way of a module that is not there
    try:
        yield
    finally:
        del sys.modules["matplotlib"]
