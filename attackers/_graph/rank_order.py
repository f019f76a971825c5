"""The approximate rank-order distance between photos and the photos on their neighbour lists."""

from __future__ import annotations

import numpy as np

from bench.types import Ints, Mask

from .neighbours import Graph
from .search import Numbers

_COMPARED = 2**22  # the number of neighbours that are looked up at once


def rank_order_graph(lists: Numbers) -> Graph:
    """Pairs of photos, one on the other's list, and their rank-order distance (Otto et al. 2018).

    With f_a(i) the i-th photo on the list of a, and O_a(b) the place of b on it,

        d(a, b) = number of i <= min(O_a(b), k) for which f_a(i) is neither b nor on the list of b,
        D(a, b) = (d(a, b) + d(b, a)) / min(O_a(b), O_b(a)).

    Args:
        lists: [photo, k], the nearest other photos, the nearest first; -1 where the search found fewer.

    Returns:
        A graph whose `distance` is D, from 0 to 2 k.
    """
    photos, k = lists.shape
    owner = np.repeat(np.arange(photos, dtype=np.int64), k)
    entry = lists.ravel().astype(np.int64)
    place = np.tile(np.arange(1, k + 1), photos)
    listed = entry >= 0
    owner, entry, place = owner[listed], entry[listed], place[listed]
    key = np.minimum(owner, entry) * photos + np.maximum(owner, entry)
    pair, pair_of_entry = np.unique(key, return_inverse=True)
    low, high = pair // max(1, photos), pair % max(1, photos)
    upward = owner < entry
    unlisted = np.iinfo(np.int64).max
    place_of_high, place_of_low = np.full(pair.size, unlisted), np.full(pair.size, unlisted)
    place_of_high[pair_of_entry[upward]] = place[upward]
    place_of_low[pair_of_entry[~upward]] = place[~upward]
    by_number = np.sort(lists, axis=1)
    strangers = _strangers(lists, by_number, low, high, place_of_high)
    strangers = strangers + _strangers(lists, by_number, high, low, place_of_low)
    distance = strangers / np.minimum(place_of_high, place_of_low)
    return Graph(photos, low.astype(np.int32), high.astype(np.int32), distance.astype(np.float32))


def _strangers(lists: Numbers, by_number: Numbers, a: Ints, b: Ints, place: Ints) -> Ints:
    """How many of the first `place` photos on the list of a are neither b nor on the list of b.

    Args:
        lists: [photo, k], the nearest other photos, the nearest first.
        by_number: The same lists, each sorted by number.
        a: [pair].
        b: [pair].
        place: [pair], the place of b on the list of a.
    """
    k = lists.shape[1]
    count = np.empty(a.size, np.int64)
    step = max(1, _COMPARED // max(1, k))
    for start in range(0, a.size, step):
        part = slice(start, start + step)
        entries = lists[a[part]]
        shared = _among(entries, by_number[b[part]]) | (entries == b[part, None])
        counted = (np.arange(1, k + 1) <= place[part, None]) & (entries >= 0)
        count[part] = (counted & ~shared).sum(axis=1)
    return count


def _among(entries: Numbers, by_number: Numbers) -> Mask:
    """Whether each entry of a row is in the same row of `by_number`, which is sorted: by bisection."""
    k = by_number.shape[1]
    below = np.zeros(entries.shape, np.int64)
    step = 1 << max(0, k.bit_length() - 1)
    while step:
        candidate = np.minimum(below + step, k)
        less = np.take_along_axis(by_number, candidate - 1, axis=1) < entries
        below = np.where(less, candidate, below)
        step >>= 1
    equal = np.take_along_axis(by_number, np.minimum(below, k - 1), axis=1) == entries
    return np.asarray(equal & (below < k), np.bool_)
