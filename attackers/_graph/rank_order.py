"""Approximate rank-order distance between photos and those on their neighbour lists."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .neighbours import Graph

Numbers = npt.NDArray[np.int32]
_COMPARED = 2**22  # neighbours looked up at once


def rank_order_graph(who: Numbers) -> Graph:
    """Pairs of photos, one on the other's list, and their rank-order distance (Otto et al. 2018).

    With f_a(i) the i-th photo on the list of a, and O_a(b) the place of b on it,

        d(a, b) = number of i <= min(O_a(b), k) for which f_a(i) is neither b nor on the list of b,
        D(a, b) = (d(a, b) + d(b, a)) / min(O_a(b), O_b(a)).

    Args:
        who: [photo, k] nearest others, nearest first; -1 where fewer were found.

    Returns:
        A graph whose `distance` is D, from 0 to 2 k.
    """
    photos, k = who.shape
    one = np.repeat(np.arange(photos, dtype=np.int64), k)
    two = who.ravel().astype(np.int64)
    place = np.tile(np.arange(1, k + 1), photos)
    listed = two >= 0
    one, two, place = one[listed], two[listed], place[listed]
    key = np.minimum(one, two) * photos + np.maximum(one, two)
    pair, which = np.unique(key, return_inverse=True)
    low, high = pair // max(1, photos), pair % max(1, photos)
    upward = one < two
    far = np.iinfo(np.int64).max
    there, back = np.full(pair.size, far), np.full(pair.size, far)
    there[which[upward]], back[which[~upward]] = place[upward], place[~upward]
    lists = np.sort(who, axis=1)
    strangers = _strangers(who, lists, low, high, there) + _strangers(who, lists, high, low, back)
    distance = strangers / np.minimum(there, back)
    return Graph(photos, low.astype(np.int32), high.astype(np.int32), distance.astype(np.float32))


def _strangers(
    who: Numbers,
    lists: Numbers,
    a: npt.NDArray[np.int64],
    b: npt.NDArray[np.int64],
    place: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """How many of the first `place` photos on the list of a are neither b nor on the list of b."""
    k = who.shape[1]
    count = np.empty(a.size, np.int64)
    step = max(1, _COMPARED // max(1, k))
    for start in range(0, a.size, step):
        part = slice(start, start + step)
        asked, held = who[a[part]], lists[b[part]]
        known = _among(asked, held) | (asked == b[part, None])
        heard = (np.arange(1, k + 1) <= place[part, None]) & (asked >= 0)
        count[part] = (heard & ~known).sum(axis=1)
    return count


def _among(asked: Numbers, held: Numbers) -> npt.NDArray[np.bool_]:
    """Whether each number of a row of `asked` is in the same row of `held`, which is sorted: by bisection."""
    k = held.shape[1]
    below = np.zeros(asked.shape, np.int64)
    step = 1 << max(0, k.bit_length() - 1)
    while step:
        tried = np.minimum(below + step, k)
        less = np.take_along_axis(held, tried - 1, axis=1) < asked
        below = np.where(less, tried, below)
        step >>= 1
    found = np.take_along_axis(held, np.minimum(below, k - 1), axis=1) == asked
    return np.asarray(found & (below < k), np.bool_)
