"""From a spanning tree to HDBSCAN's clusters (Campello, Moulavi and Sander 2013; Campello et al. 2015).

The tree is read upwards, from the shortest edge to the longest. Edges of one length are one step: otherwise
the order of the photos would decide which clusters split, and mutual reachability makes many ties.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from bench.types import Ints

from .._embeddings.numbering import by_first_appearance
from .spanning import Tree

_SAME = 1e-3
"""The distance below which two photos are the same photo: rounding in float32 makes that much of zero."""


@dataclass(slots=True)
class _Clusters:
    """The condensed tree: clusters of at least `least` photos, each numbered after the clusters within it.

    Attributes:
        least: The number of photos that make a cluster.
        home: int [photo], the innermost cluster of each photo; -1 for none.
        size: [cluster], the number of photos, the photos that left the cluster on the way included.
        mass: [cluster], the sum over the photos of the density 1 / distance at which each joins the cluster.
        birth: [cluster], the density at which the cluster splits from its parent; 0 for a root.
        parent: [cluster], the number of the enclosing cluster; -1 for a root.
    """

    least: int
    home: Ints
    size: list[int] = field(default_factory=list)
    mass: list[float] = field(default_factory=list)
    birth: list[float] = field(default_factory=list)
    parent: list[int] = field(default_factory=list)

    def add(self, size: int, mass: float) -> int:
        self.size.append(size)
        self.mass.append(mass)
        self.birth.append(0.0)
        self.parent.append(-1)
        return len(self.size) - 1


def hdbscan_labels(tree: Tree, photos: int, least: int, leaf: bool) -> Ints:
    """The flat clusters of HDBSCAN.

    Args:
        tree: Edges that join all photos.
        photos: The number of photos.
        least: The number of photos that make a cluster; at least 2.
        leaf: Whether to take the innermost clusters; otherwise the clusters with the greatest excess of mass.

    Returns:
        int [photo], clusters numbered from 0 by first appearance, -1 for noise. All photos together are no
        cluster, unless they are one photo many times.
    """
    if photos >= least and tree.length.max(initial=0) <= _SAME:
        return np.zeros(photos, np.int64)
    clusters = _condensed(tree, photos, least)
    chosen = _leaves(clusters) if leaf else _excess_of_mass(clusters)
    # From the outermost inwards: a cluster within a chosen cluster takes that cluster's name.
    name = np.full(len(clusters.size) + 1, -1, np.int64)  # the last is for no cluster
    for number in range(len(clusters.size) - 1, -1, -1):
        above = clusters.parent[number]
        outer = name[above] if above >= 0 else -1
        name[number] = outer if outer >= 0 else (number if chosen[number] else -1)
    return by_first_appearance(name[clusters.home])


def _condensed(tree: Tree, photos: int, least: int) -> _Clusters:
    order = np.lexsort((tree.right, tree.left, tree.length))
    edges = zip(*(part[order].tolist() for part in tree), strict=True)
    clusters = _Clusters(least, np.full(photos, -1, np.int64))
    root = list(range(photos))
    cluster = [-1] * photos  # the cluster of a root; -1 while the root has too few photos
    size = [1] * photos
    loose: list[list[int]] = [[photo] for photo in range(photos)]  # the photos of a root without a cluster

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
        density = 1 / max(length, _SAME)
        for top, joined in parts.items():
            total = sum(size[part] for part in joined)
            large = [part for part in joined if cluster[part] >= 0]
            small = [photo for part in joined if cluster[part] < 0 for photo in loose[part]]
            size[top] = total
            if not large and total < least:
                loose[top] = small
                continue
            if len(large) == 1:
                grown = cluster[large[0]]
                clusters.size[grown] = total
                clusters.mass[grown] += density * len(small)
            else:
                grown = clusters.add(total, density * total)
                for part in large:
                    clusters.birth[cluster[part]] = density
                    clusters.parent[cluster[part]] = grown
            clusters.home[small] = grown
            cluster[top], loose[top] = grown, []
    return clusters


def _stability(clusters: _Clusters) -> list[float]:
    return [
        mass - size * birth
        for mass, size, birth in zip(clusters.mass, clusters.size, clusters.birth, strict=True)
    ]


def _excess_of_mass(clusters: _Clusters) -> list[bool]:
    """Choose the clusters of the greatest total stability, none of them within another, and no root."""
    stability = _stability(clusters)
    within = [0.0] * len(stability)
    chosen = [False] * len(stability)
    for number, parent in enumerate(clusters.parent):
        if parent < 0:
            continue
        chosen[number] = stability[number] >= within[number]
        within[parent] += max(stability[number], within[number])
    return chosen


def _leaves(clusters: _Clusters) -> list[bool]:
    """Choose the clusters that hold no other cluster, and no root."""
    inner = set(clusters.parent)
    return [number not in inner and parent >= 0 for number, parent in enumerate(clusters.parent)]
