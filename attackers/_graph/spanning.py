"""A minimum spanning tree under mutual reachability distance, without a distance matrix.

The mutual reachability distance of two photos is the largest of their distance and their two core distances;
a photo's core distance is the distance to its `min_samples`-th neighbour, itself counted (Campello et al.
2013). Distances are Euclidean between unit vectors.

Borůvka's rounds (1926) join every tree to its nearest tree. Lists of nearest neighbours are enough while they
prove which tree is nearest: no photo off a list is nearer than the last photo on it. Few trees are left after
these rounds, and one pass over all pairs measures the distances between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bench.types import Ints

from .._embeddings.rows import Floats32
from .neighbours import joined
from .search import cosines, nearest
from .searching import Searching

LISTED = 16
"""The least number of neighbours on a photo's list. Longer lists prove more and cost more."""
_CONTRACTED = 8192  # the number of trees whose mutual distances are held at once: 256 MB
_FARTHEST = np.float32(2)  # the largest distance of two unit vectors
_BLOCK = 2**24  # the number of cosines that are held at once: 64 MB


Edges = tuple[Ints, Ints, Floats32]
"""One end of each edge, its other end, its length."""


class Tree(NamedTuple):
    """Edges that hold a minimum spanning tree, and perhaps an edge more where some are equally long.

    Attributes:
        left: [edge], a photo.
        right: [edge], another photo.
        length: [edge], the mutual reachability distance of the two.
    """

    left: Ints
    right: Ints
    length: Floats32


@dataclass(frozen=True, slots=True)
class Lists:
    """The nearest neighbours of every photo, nearest first; -1 where the search found none.

    Attributes:
        neighbours: [photo, k], numbers of photos.
        distance: [photo, k].
        exact: Whether no photo off a list is nearer than a photo on it.
    """

    neighbours: npt.NDArray[np.int32]
    distance: Floats32
    exact: bool

    def core(self, min_samples: int) -> Floats32:
        """The distance to the `min_samples`-th neighbour, itself counted; to the last if there are fewer."""
        photos, listed = self.neighbours.shape
        if min_samples <= 1 or listed == 0:
            return np.zeros(photos, np.float32)
        return self.distance[:, min(min_samples - 2, listed - 1)]


def neighbour_lists(rows: Floats32, min_samples: int, search: Searching) -> Lists:
    """Lists that are long enough for core distances of `min_samples`."""
    neighbours, alike = nearest(rows, max(LISTED, min_samples), search)
    return Lists(neighbours, _length(alike), exact=rows.shape[0] <= search.exact_up_to)


def spanning_tree(rows: Floats32, lists: Lists, min_samples: int) -> Tree:
    """A minimum spanning tree; a tree of the neighbour lists alone if those are not exact.

    In the latter case, trees that no list connects are joined at the largest distance that two unit vectors
    can have.

    Args:
        rows: [photo, dimension], unit vectors.
        lists: The neighbour lists of the photos.
        min_samples: The rank of the neighbour whose distance is a photo's core distance.
    """
    photos = rows.shape[0]
    core = lists.core(min_samples)
    edges: list[Edges] = []
    tree = _grown(lists, core, edges)
    while int(tree.max(initial=0)) + 1 > _CONTRACTED and lists.exact:
        edges.append(_nearest_trees(rows, core, tree))
        tree = _numbered(joined(photos, *_ends(edges)))
    trees = int(tree.max(initial=-1)) + 1
    if trees > 1 and lists.exact:
        edges.append(_between(rows, core, tree, trees))
    elif trees > 1:
        first = np.unique(tree, return_index=True)[1]
        edges.append((first[:-1], first[1:], np.full(trees - 1, _FARTHEST, np.float32)))
    if not edges:
        none = np.empty(0, np.int64)
        return Tree(none, none, np.empty(0, np.float32))
    return Tree(*(np.concatenate(part) for part in zip(*edges, strict=True)))


def _ends(edges: list[Edges]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    left, right, _ = zip(*edges, strict=True)
    return np.concatenate(left).astype(np.int32), np.concatenate(right).astype(np.int32)


def _numbered(component: Ints) -> Ints:
    return np.unique(component, return_inverse=True)[1].astype(np.int64)


def _grown(lists: Lists, core: Floats32, edges: list[Edges]) -> Ints:
    """Borůvka's rounds on neighbour lists, as far as the lists prove which tree is nearest.

    Args:
        lists: The neighbour lists of the photos.
        core: [photo], core distances.
        edges: The list that the edges are added to.

    Returns:
        int [photo], the tree of each photo.
    """
    photos, listed = lists.neighbours.shape
    i = np.repeat(np.arange(photos), listed)
    j = lists.neighbours.ravel().astype(np.int64)
    length = np.maximum(np.maximum(lists.distance.ravel(), core[i]), core[np.maximum(j, 0)])
    filled = j >= 0
    i, j, length = i[filled], j[filled], length[filled]
    # Both directions: a photo may be on no list of its own nearest neighbours.
    i, j, length = np.concatenate([i, j]), np.concatenate([j, i]), np.tile(length, 2)
    complete = listed >= photos - 1
    reach = np.full(photos, np.inf, np.float32)
    if lists.exact and not complete:
        reach = np.maximum(lists.distance[:, -1], core) if listed else np.zeros(photos, np.float32)
    tree = np.arange(photos)
    while True:
        apart = tree[i] != tree[j]
        i, j, length = i[apart], j[apart], length[apart]
        if i.size == 0:
            return tree
        proven = np.full(int(tree.max()) + 1, np.inf, np.float32)
        np.minimum.at(proven, tree, reach)
        left, right, shortest = _shortest(i, j, length, tree)
        sure = shortest <= proven[tree[left]]
        if not sure.any():
            return tree
        left, right, shortest = left[sure], right[sure], shortest[sure]
        key = np.minimum(left, right) * photos + np.maximum(left, right)
        once = np.unique(key, return_index=True)[1]
        edges.append((left[once], right[once], shortest[once]))
        tree = _numbered(joined(photos, *_ends(edges)))


def _shortest(i: Ints, j: Ints, length: Floats32, tree: Ints) -> Edges:
    """The shortest edge that leaves each tree; of equally long edges that of the lowest pair of photos."""
    order = np.lexsort((np.maximum(i, j), np.minimum(i, j), length, tree[i]))
    first = np.unique(tree[i[order]], return_index=True)[1]
    chosen = order[first]
    return i[chosen], j[chosen], length[chosen]


def _nearest_trees(rows: Floats32, core: Floats32, tree: Ints) -> Edges:
    """The shortest edge that leaves each tree, by one pass over all pairs."""
    photos = rows.shape[0]
    order = np.argsort(tree, kind="stable")
    sorted_rows, own, bound = rows[order], tree[order], _cosine(core[order])
    starts, ends = np.searchsorted(own, own), np.searchsorted(own, own, side="right")
    other = np.empty(photos, np.int64)
    step = max(1, _BLOCK // photos)
    for top in range(0, photos, step):
        part = slice(top, min(photos, top + step))
        block = sorted_rows[part] @ sorted_rows.T
        np.minimum(block, bound, out=block)
        for row, (start, end) in enumerate(zip(starts[part], ends[part], strict=True)):
            block[row, start:end] = -np.inf
        other[part] = block.argmax(axis=1)
    return _shortest(order, order[other], _reach(rows, core, order, order[other]), tree)


def _between(rows: Floats32, core: Floats32, tree: Ints, trees: int) -> Edges:
    """A minimum spanning tree of trees, by one pass over all pairs and Prim's algorithm (1957)."""
    photos = rows.shape[0]
    order = np.argsort(tree, kind="stable")
    sorted_rows, own, bound = rows[order], tree[order], _cosine(core[order])
    starts = np.searchsorted(own, np.arange(trees))
    alike = np.full((trees, trees), -np.inf, np.float32)
    step = max(1, _BLOCK // photos)
    for top in range(0, photos, step):
        part = slice(top, min(photos, top + step))
        block = sorted_rows[part] @ sorted_rows.T
        np.minimum(block, bound, out=block)
        block = np.maximum.reduceat(block, starts, axis=1)
        np.minimum(block, bound[part, None], out=block)
        present, first = np.unique(own[part], return_index=True)
        block = np.maximum.reduceat(block, first, axis=0)
        alike[present] = np.maximum(alike[present], block)

    # Trees hold edges longer than the edges between them: it matters at which photo of a tree an edge ends.
    left, right = np.empty(trees - 1, np.int64), np.empty(trees - 1, np.int64)
    ends = np.append(starts, photos)
    nearest_to, how_near = np.zeros(trees, np.int64), alike[0].copy()
    how_near[0] = -np.inf
    outside = np.ones(trees, np.bool_)
    outside[0] = False
    for edge in range(trees - 1):
        chosen = int(np.argmax(how_near))
        inner, outer = (slice(*ends[number : number + 2]) for number in (int(nearest_to[chosen]), chosen))
        pair = np.minimum(sorted_rows[inner] @ sorted_rows[outer].T, bound[outer])
        np.minimum(pair, bound[inner, None], out=pair)
        i, j = np.unravel_index(int(np.argmax(pair)), pair.shape)
        left[edge], right[edge] = order[inner][i], order[outer][j]
        outside[chosen] = False
        how_near[chosen] = -np.inf
        nearer = outside & (alike[chosen] > how_near)
        nearest_to[nearer] = chosen
        how_near[nearer] = alike[chosen][nearer]
    return left, right, _reach(rows, core, left, right)


def _reach(rows: Floats32, core: Floats32, left: Ints, right: Ints) -> Floats32:
    """The mutual reachability distance of pairs; a pair has the same bits in every call."""
    return np.maximum(np.maximum(core[left], core[right]), _length(cosines(rows, left, right)))


def _cosine(distance: Floats32) -> Floats32:
    """The cosine of two unit vectors at a Euclidean distance."""
    return np.asarray(1 - distance**2 / 2, np.float32)


def _length(alike: Floats32) -> Floats32:
    """The Euclidean distance of two unit vectors with a cosine."""
    return np.sqrt(np.maximum(2 - 2 * alike, 0)).astype(np.float32)
