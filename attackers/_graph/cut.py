"""HDBSCAN with an absolute cut, as Nextcloud Recognize selects clusters from a spanning tree.

Recognize reads the tree downwards, from the longest edge to the shortest, and removes one edge after another.
Here it is read upwards, and edges of one length are one step, so that the order of photos does not matter.
A cluster weighs the sum over its edges of the density 1 / length at which each is removed, less the density
at which the cluster begins. Edges longer than the cut weigh nothing, and what they join is no cluster.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bench.types import Ints

from .._embeddings.numbering import by_first_appearance
from .merging import SAME, merges
from .spanning import Tree


@dataclass(slots=True)
class _Clusters:
    """Clusters, each numbered after the clusters within it.

    Attributes:
        home: int [photo], the innermost cluster of each photo; -1 for none.
        edges: [cluster], the number of edges up to the cut.
        mass: [cluster], the sum over these edges of the density at which each is removed.
        birth: [cluster], the density at which the cluster begins; 0 for one that holds all photos.
        parent: [cluster], the number of the enclosing cluster; -1 for a root.
        real: [cluster], whether it was formed by edges up to the cut.
        part_of: [cluster], the cluster that it was too near to be apart from; itself if there is none.
    """

    home: Ints
    edges: list[int] = field(default_factory=list)
    mass: list[float] = field(default_factory=list)
    birth: list[float] = field(default_factory=list)
    parent: list[int] = field(default_factory=list)
    real: list[bool] = field(default_factory=list)
    part_of: list[int] = field(default_factory=list)

    def add(self, *, real: bool) -> int:
        self.edges.append(0)
        self.mass.append(0.0)
        self.birth.append(0.0)
        self.parent.append(-1)
        self.real.append(real)
        self.part_of.append(len(self.part_of))
        return len(self.part_of) - 1

    def grow(self, cluster: int, edges: int, density: float) -> None:
        self.edges[cluster] += edges
        self.mass[cluster] += edges * density

    def begin(self, cluster: int, density: float) -> None:
        """Say at which density a cluster begins; what was said before, of a shorter edge, stays."""
        self.birth[cluster] = self.birth[cluster] or density


def cut_labels(tree: Tree, photos: int, least: int, cut: float, separation: float) -> Ints:
    """The clusters of Nextcloud Recognize: HDBSCAN's excess of mass among edges up to a cut.

    Args:
        tree: Edges that join all photos.
        photos: The number of photos.
        least: The number of photos that make a cluster; at least 2.
        cut: The length of the longest edge within a cluster.
        separation: The length of the shortest edge at which a cluster splits into two.

    Returns:
        int [photo], clusters numbered from 0 by first appearance, -1 for noise. A cluster of all photos that
        splits is never taken; one that does not split is.
    """
    clusters = _read_upwards(tree, photos, least, cut, separation)
    chosen = _heaviest(clusters)
    name = np.full(len(chosen) + 1, -1, np.int64)  # the last is for no cluster
    for number in range(len(chosen) - 1, -1, -1):
        above = clusters.parent[number]
        outer = name[above] if above >= 0 else -1
        name[number] = outer if outer >= 0 else (number if chosen[number] else -1)
    whole = np.arange(len(chosen) + 1)
    whole[-1] = -1
    for number, larger in enumerate(clusters.part_of):
        while clusters.part_of[larger] != larger:
            larger = clusters.part_of[larger]
        whole[number] = larger
    return by_first_appearance(name[whole[clusters.home]])


def _read_upwards(tree: Tree, photos: int, least: int, cut: float, separation: float) -> _Clusters:
    clusters = _Clusters(np.full(photos, -1, np.int64))
    cluster = [-1] * photos  # the cluster of a group; -1 while the group has too few photos
    size = [1] * photos
    loose: list[list[int]] = [[photo] for photo in range(photos)]  # the photos of a group without a cluster
    for length, joined in merges(tree, photos):
        top, density, within = joined[0], 1 / max(length, SAME), length <= cut
        total = sum(size[part] for part in joined)
        large = [part for part in joined if cluster[part] >= 0]
        small = [photo for part in joined if cluster[part] < 0 for photo in loose[part]]
        weighed = [(size[part], clusters.mass[cluster[part]], part) for part in large]
        largest = max(weighed, default=None)
        size[top] = total
        if largest is None and total < least:
            loose[top] = small
            continue
        if largest is not None and (len(large) == 1 or length < separation):
            # in a step below the separation, all but the largest are its outskirts
            grown = cluster[largest[2]]
            new_edges = total - largest[0]
            for part in large:
                clusters.part_of[cluster[part]] = grown
        else:
            grown = clusters.add(real=within)
            new_edges = total - 1
            for part in large:
                clusters.begin(cluster[part], density)
                clusters.parent[cluster[part]] = grown
        if within:
            clusters.grow(grown, new_edges, density)
            clusters.home[small] = grown
        else:
            clusters.begin(grown, density)
        cluster[top], loose[top] = grown, []
    return clusters


def _heaviest(clusters: _Clusters) -> list[bool]:
    """Choose clusters of the greatest total weight, none of them within another; see `cut_labels`."""
    count = len(clusters.mass)
    within = [0.0] * count  # the weight of what was chosen inside
    inner = set(clusters.parent)
    chosen = [False] * count
    for number, parent in enumerate(clusters.parent):
        if clusters.part_of[number] != number:
            continue
        weight = clusters.mass[number] - clusters.edges[number] * clusters.birth[number]
        heavier = parent >= 0 and weight > within[number]
        chosen[number] = clusters.real[number] and (number not in inner or heavier)
        if parent >= 0:
            within[parent] += weight if chosen[number] else within[number]
    return chosen
