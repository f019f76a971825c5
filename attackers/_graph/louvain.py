"""The Louvain communities of a weighted graph."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from bench.types import Ints

from .._embeddings.numbering import without_singles
from .neighbours import Graph

_LEAST_GAIN = 1e-12  # a smaller gain of weight may be rounding


def louvain_labels(graph: Graph, penalty: float, seed: int) -> Ints:
    """The communities by the Louvain method (Blondel et al. 2008).

    The method maximises the sum over pairs within a community of w_ij - penalty * k_i * k_j, with w the
    cosine similarity of neighbours and k a photo's total. This is modularity with resolution gamma for
    penalty = gamma / 2m, where m is the total weight of all edges. In this form the worth of a pair does not
    depend on the number of photos, and a penalty that was tuned on some people holds for more people.

    Args:
        graph: The pairs of near photos.
        penalty: As above; at least 0.
        seed: The seed of the order in which photos are visited.

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
    """Move nodes one after another to the community of most gain, until no node gains.

    A node is visited again only if a neighbour moved to another community than the node's (Ozaki et al.
    2016).
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
            home = community[node]
            towards = {home: 0.0}  # community -> the weight of the node's edges to it
            for other, edge in zip(near[start:end], weight[start:end], strict=True):
                towards[community[other]] = towards.get(community[other], 0.0) + edge
            total[home] -= own[node]
            cost = penalty * own[node]
            best, most = home, towards[home] - cost * total[home] + _LEAST_GAIN
            for candidate, edges in towards.items():
                gain = edges - cost * total[candidate]
                if gain > most:
                    best, most = candidate, gain
            total[best] += own[node]
            if best == home:
                continue
            community[node] = best
            for other in near[start:end]:
                if community[other] != best and not queued[other]:
                    queued[other] = 1
                    later.append(other)
        queue = later
    return np.asarray(community, np.int64)
