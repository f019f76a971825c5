"""The communities that a random walk on a weighted graph stays in, by the package of the method's authors."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from bench.types import Ints

from .._embeddings.numbering import without_singles
from .neighbours import Graph


def flow_labels(graph: Graph, seed: int) -> Ints:
    """The modules of the two-level map equation (Rosvall and Bergstrom 2008).

    Args:
        graph: The pairs of near photos.
        seed: The seed of the order in which photos are visited.

    Returns:
        int [photo], clusters numbered from 0 by first appearance; a photo by itself is noise, -1.
    """
    import infomap

    weights = 1 - graph.distance.astype(np.float64)
    joined = weights > 0  # a walk takes no edge of weight 0
    if not joined.any():
        return np.full(graph.photos, -1, np.int64)
    # the package takes seeds from 1 on
    network: Any = infomap.Infomap(silent=True, two_level=True, num_trials=1, seed=seed + 1)
    network.add_links(
        list(
            zip(
                graph.left[joined].tolist(),
                graph.right[joined].tolist(),
                weights[joined].tolist(),
                strict=True,
            )
        )
    )
    network.run()
    with warnings.catch_warnings():
        # the newer call walks over its answer with an iterator that SWIG takes for faiss's, and crashes
        warnings.filterwarnings("ignore", "Infomap.get_modules")
        modules = network.get_modules()
    labels = -1 - np.arange(graph.photos)  # each by itself, but for those that the package names
    labels[list(modules)] = list(modules.values())
    return without_singles(labels)
