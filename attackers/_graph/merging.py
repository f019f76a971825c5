"""The steps in which the edges of a spanning tree join photos, from the shortest edge to the longest.

Edges of one length are one step: otherwise the order of the photos would decide which groups are joined
first, and mutual reachability makes many ties.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import numpy as np

from .spanning import Tree

SAME = 1e-3
"""The distance below which two photos are the same photo: rounding in float32 makes that much of zero."""


def merges(tree: Tree, photos: int) -> Iterator[tuple[float, list[int]]]:
    """The merges of groups of photos, in order of length.

    A group is named by one of its photos. A merged group has the name of the first group that is listed.

    Args:
        tree: Edges that join all photos.
        photos: The number of photos.

    Yields:
        The length of the edges, and the names of the groups that they make one: at least two.
    """
    order = np.lexsort((tree.right, tree.left, tree.length))
    edges = zip(*(part[order].tolist() for part in tree), strict=True)
    root = list(range(photos))

    def find(photo: int) -> int:
        while root[photo] != photo:
            root[photo] = root[root[photo]]
            photo = root[photo]
        return photo

    for length, step in groupby(edges, key=lambda edge: edge[2]):
        parts: dict[int, list[int]] = {}  # root after this step -> the roots that the step joins
        for left, right, _ in step:
            a, b = find(left), find(right)
            if a == b:
                continue
            root[b] = a
            parts[a] = parts.pop(a, [a]) + parts.pop(b, [b])
        for joined in parts.values():
            yield length, joined
