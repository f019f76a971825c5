"""Louvain communities of a weighted graph."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from bench.types import Ints

from .._embeddings.numbering import without_singles
from .neighbours import Graph

_LEAST_GAIN = 1e-12  # of weight: what rounding makes of no gain


def louvain_labels(graph: Graph, penalty: float, seed: int) -> Ints:
    """Communities by the Louvain method (Blondel et al. 2008).

    Maximises the sum over pairs within a community of w_ij - penalty * k_i * k_j, with w the cosine
    similarity of neighbours and k a photo's total. This is modularity with resolution gamma where penalty =
    gamma / 2m, m being the total weight of all edges. Written so, what a pair is worth does not hang on how
    many photos there are, and a penalty that was tuned on some people holds for more of them.

    Returns:
        int [photo], clusters numbered from 0 by first appearance; a photo by itself is noise, -1.
    """
    matrix = graph.alike()
    strength = np.asarray(matrix.sum(axis=1)).ravel()
    member = np.arange(graph.photos)
    random = np.random.Generator(np.random.Philox(seed))
    while True:
        community = _moved(matrix, strength, penalty, random)
        names, community = np.unique(community, return_inverse=True)
        member = community[member]
        if names.size == matrix.shape[0]:
            return without_singles(member)
        groups = csr_array(
            (np.ones(community.size), (np.arange(community.size), community)),
            shape=(community.size, names.size),
        )
        matrix = csr_array(groups.T @ matrix @ groups)
        matrix.setdiag(0)
        matrix.eliminate_zeros()
        matrix.sort_indices()
        strength = np.bincount(community, strength, minlength=names.size)


def _moved(
    matrix: csr_array,
    strength: npt.NDArray[np.float64],
    penalty: float,
    random: np.random.Generator,
) -> Ints:
    """Move nodes one after another to the community of most gain, until nobody gains.

    A node is looked at again only if a neighbour moved to another community than its own (Ozaki et al. 2016).
    """
    nodes = matrix.shape[0]
    starts, near, weight = matrix.indptr.tolist(), matrix.indices.tolist(), matrix.data.tolist()
    own, total = strength.tolist(), strength.tolist()
    community = list(range(nodes))
    queue = random.permutation(nodes).tolist()
    queued = bytearray(b"\x01" * nodes)
    while queue:
        later = []
        for node in queue:
            queued[node] = 0
            start, end = starts[node], starts[node + 1]
            if start == end:
                continue
            here = community[node]
            towards = {here: 0.0}
            for other, by in zip(near[start:end], weight[start:end], strict=True):
                there = community[other]
                towards[there] = towards.get(there, 0.0) + by
            total[here] -= own[node]
            cost = penalty * own[node]
            best, most = here, towards[here] - cost * total[here] + _LEAST_GAIN
            for there, by in towards.items():
                gain = by - cost * total[there]
                if gain > most:
                    best, most = there, gain
            total[best] += own[node]
            if best == here:
                continue
            community[node] = best
            for other in near[start:end]:
                if community[other] != best and not queued[other]:
                    queued[other] = 1
                    later.append(other)
        queue = later
    return np.asarray(community, np.int64)
