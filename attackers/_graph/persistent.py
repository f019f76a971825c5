"""From a spanning tree to PLSCAN's clusters (Bot, McInnes and Aerts, arXiv 2512.16558, 2025).

HDBSCAN's innermost clusters depend on how many photos make a cluster. A group of photos is an innermost
cluster over a range of that number. Above the range the group is too small, or what it splits from is. Below
the range it splits itself into groups that are large enough. The length of the range is the group's
persistence.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bench.types import Ints

from .._embeddings.numbering import by_first_appearance
from .merging import SAME, merges
from .spanning import Tree

LEAST = 2
"""The least number of photos that make a cluster."""


class _Groups(NamedTuple):
    """The groups of photos that merges make; the first groups are the photos.

    Attributes:
        parent: [group], the group that it is merged into; -1 for none.
        above: [group], the number of photos up to which the group splits into two clusters or more.
        until: [group], the number of photos up to which the group is a cluster beside another one; 0 for a
            group that is merged into none.
    """

    parent: list[int]
    above: list[int]
    until: list[int]


def persistent_labels(tree: Tree, photos: int) -> Ints:
    """HDBSCAN's innermost clusters, for the number of photos that gives the greatest total persistence.

    Of equally good numbers the least is taken.

    Args:
        tree: Edges that join all photos.
        photos: The number of photos.

    Returns:
        int [photo], clusters numbered from 0 by first appearance, -1 for noise. All photos together are no
        cluster, unless they are one photo many times.
    """
    if photos >= LEAST and tree.length.max(initial=0) <= SAME:
        return np.zeros(photos, np.int64)
    groups = _groups(tree, photos)
    above = np.maximum(np.array(groups.above, np.int64), LEAST - 1)
    until = np.array(groups.until, np.int64)
    persistence = np.maximum(until - above, 0)
    # A group counts with its whole persistence for every number in its range: as differences, then summed.
    change = np.zeros(photos + 2, np.int64)
    np.add.at(change, above + 1, persistence)
    np.add.at(change, np.maximum(until, above) + 1, -persistence)
    least = int(np.argmax(np.cumsum(change)))
    chosen = (above < least) & (least <= until)
    # From the outermost inwards: all photos of a chosen group have the group's name.
    name = np.where(chosen, np.arange(chosen.size), -1)
    for number in range(chosen.size - 1, -1, -1):
        if groups.parent[number] >= 0 and name[groups.parent[number]] >= 0:
            name[number] = name[groups.parent[number]]
    return by_first_appearance(name[:photos])


def _groups(tree: Tree, photos: int) -> _Groups:
    parent, above, until = [-1] * photos, [0] * photos, [0] * photos
    size = [1] * photos
    group = list(range(photos))  # the group that a merge names by one of its photos
    for _, joined in merges(tree, photos):
        parts = [group[photo] for photo in joined]
        second = sorted(size[part] for part in parts)[-2]  # up to here, two of the parts are clusters
        for part in parts:
            parent[part], until[part] = len(size), min(size[part], second)
        group[joined[0]] = len(size)
        parent.append(-1)
        above.append(max(second, *(above[part] for part in parts)))
        until.append(0)
        size.append(sum(size[part] for part in parts))
    return _Groups(parent, above, until)
