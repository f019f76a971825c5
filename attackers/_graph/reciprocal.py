"""Re-ranked distance: photos are near that have the same neighbours, from both sides (Zhong et al. 2017)."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, eye_array

from bench.types import Floats

from .._embeddings.rows import Floats32
from .neighbours import Graph, listed_pairs
from .search import Numbers, cosines

_SHARED = 2 / 3
"""The share of a neighbour's own neighbours that must be known for the rest of them to be taken in."""
_AT_ONCE = 2**14  # pairs


def reciprocal_graph(rows: Floats32, lists: Numbers, neighbours: int, expansion: int, mix: float) -> Graph:
    """Pairs of neighbours, and their re-ranked distance.

    With N(p, k) the photo p and its k nearest, and R(p, k) those g of N(p, k) that have p in N(g, k),

        R*(p) = R(p, k) and each R(q, k/2), q in R(p, k), of which two thirds are in R(p, k),
        V(p)  = exp(-d(p, g)) for g in R*(p), divided by its sum; then its mean over N(p, expansion - 1),
        distance(p, q) = (1 - mix) * (1 - sum of min(V(p), V(q)) / sum of max(V(p), V(q))) + mix * d(p, q),

    where d is the cosine distance.

    Args:
        rows: [photo, dimension], unit vectors.
        lists: [photo, n], the nearest other photos, nearest first; -1 where the search found fewer.
        neighbours: The k of the formula.
        expansion: The number of photos, the photo itself counted, over which V is averaged; 1 for none.
        mix: The share of the cosine distance, from 0 to 1.

    Returns:
        The pairs of which one is among the k nearest of the other, at distances from 0 to 1. Photos whose
        cosine is 0 or less are no pair, however many neighbours they share.
    """
    places = _places(rows, lists, neighbours)
    if expansion > 1:
        among = _listed(lists, expansion - 1)
        places = csr_array((among @ places).multiply(1 / among.sum(axis=1)[:, None]))
    left, right = listed_pairs(lists[:, :neighbours])
    alike = cosines(rows, left, right).astype(np.float64)
    left, right, alike = left[alike > 0], right[alike > 0], alike[alike > 0]
    shared = np.empty(left.size)
    for start in range(0, left.size, _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        shared[part] = places[left[part]].minimum(places[right[part]]).sum(axis=1)
    jaccard = 1 - shared / (2 - shared)  # each V sums up to 1
    distance = np.clip((1 - mix) * jaccard + mix * (1 - alike), 0, 1)
    return Graph(len(rows), left.astype(np.int32), right.astype(np.int32), distance.astype(np.float32))


def _places(rows: Floats32, lists: Numbers, neighbours: int) -> csr_array:
    """V [photo, photo] before it is averaged: each row sums up to 1."""
    mutual = _mutual(lists, neighbours)
    closer = _mutual(lists, max(1, neighbours // 2))
    common = csr_array((mutual @ closer.T).multiply(mutual)).tocoo()
    photo, neighbour = common.coords
    known = common.data >= _SHARED * closer.sum(axis=1)[neighbour] - 1e-9
    taken = csr_array((np.ones(int(known.sum())), (photo[known], neighbour[known])), shape=mutual.shape)
    photo, neighbour = csr_array(mutual + taken @ closer).tocoo().coords
    weight: Floats = np.exp(np.minimum(cosines(rows, photo, neighbour).astype(np.float64), 1) - 1)
    sums = np.bincount(photo, weights=weight, minlength=len(rows))
    return csr_array((weight / sums[photo], (photo, neighbour)), shape=mutual.shape)


def _listed(lists: Numbers, count: int) -> csr_array:
    """Which photos are N(p, count): 1.0 for the photo itself and its nearest, [photo, photo]."""
    near = lists[:, :count]
    photos = len(lists)
    owner = np.broadcast_to(np.arange(photos)[:, None], near.shape)[near >= 0]
    others = csr_array((np.ones(owner.size), (owner, near[near >= 0])), shape=(photos, photos))
    return csr_array(others + eye_array(photos, format="csr"))


def _mutual(lists: Numbers, count: int) -> csr_array:
    """Which photos are R(p, count)."""
    near = _listed(lists, count)
    return csr_array(near.multiply(near.T))
