"""From a spanning tree to HDBSCAN's clusters (Campello, Moulavi and Sander 2013; Campello et al. 2015)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bench.types import Floats, Ints

from .._embeddings.numbering import by_first_appearance
from .merging import SAME, merges
from .spanning import Tree


@dataclass(slots=True)
class Clusters:
    """The condensed tree: clusters of at least `least` photos, each numbered after the clusters within it.

    Attributes:
        least: The number of photos that make a cluster.
        home: int [photo], the innermost cluster of each photo; -1 for none.
        joined: float [photo], the density at which the photo joins that cluster; 0 for none.
        size: [cluster], the number of photos, the photos that left the cluster on the way included.
        mass: [cluster], the sum over the photos of the density 1 / distance at which each joins the cluster.
        birth: [cluster], the density at which the cluster splits from its parent; 0 for a root.
        parent: [cluster], the number of the enclosing cluster; -1 for a root.
    """

    least: int
    home: Ints
    joined: Floats
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


def hdbscan_labels(
    tree: Tree,
    photos: int,
    least: int,
    leaf: bool,
    longest: float | None = None,
    epsilon: float = 0.0,
) -> Ints:
    """The flat clusters of HDBSCAN of a tree: see `condensed` and `flat_clusters`."""
    return flat_clusters(condensed(tree, photos, least), leaf, longest, epsilon)


def flat_clusters(clusters: Clusters, leaf: bool, longest: float | None = None, epsilon: float = 0.0) -> Ints:
    """The flat clusters of HDBSCAN.

    Args:
        clusters: The condensed tree.
        leaf: Whether to take the innermost clusters; otherwise the clusters with the greatest excess of mass.
        longest: The length above which no edge joins photos; None for no limit.
        epsilon: The length of the shortest edge at which clusters may be apart: those that split at a shorter
            one are taken together (Malzer and Baum, MFI 2020).

    Returns:
        int [photo], clusters numbered from 0 by first appearance, -1 for noise. All photos together are no
        cluster, unless they are one photo many times, or there is a limit and they hold no two clusters.
    """
    if clusters.joined.min(initial=np.inf) >= 1 / SAME:
        return np.zeros(clusters.home.size, np.int64)
    floor = 0.0 if longest is None else 1 / longest
    allowed = _allowed(clusters, floor)
    chosen = _leaves(clusters, allowed) if leaf else _excess_of_mass(clusters, allowed)
    if epsilon > 0:
        chosen = _apart(clusters, chosen, epsilon)
    # From the outermost inwards: a cluster within a chosen cluster takes that cluster's name.
    name = np.full(len(clusters.size) + 1, -1, np.int64)  # the last is for no cluster
    for number in range(len(clusters.size) - 1, -1, -1):
        above = clusters.parent[number]
        outer = name[above] if above >= 0 else -1
        name[number] = outer if outer >= 0 else (number if chosen[number] else -1)
    return by_first_appearance(np.where(clusters.joined >= floor, name[clusters.home], -1))


def condensed(tree: Tree, photos: int, least: int) -> Clusters:
    """The condensed tree of HDBSCAN.

    Args:
        tree: Edges that join all photos.
        photos: The number of photos.
        least: The number of photos that make a cluster; at least 2.
    """
    clusters = Clusters(least, np.full(photos, -1, np.int64), np.zeros(photos))
    cluster = [-1] * photos  # the cluster of a group; -1 while the group has too few photos
    size = [1] * photos
    loose: list[list[int]] = [[photo] for photo in range(photos)]  # the photos of a group without a cluster
    for length, joined in merges(tree, photos):
        top, density = joined[0], 1 / max(length, SAME)
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
        clusters.home[small], clusters.joined[small] = grown, density
        cluster[top], loose[top] = grown, []
    return clusters


def _allowed(clusters: Clusters, floor: float) -> list[bool]:
    """Which clusters may be chosen: those whose inner clusters are joined at the density `floor` or more.

    A root may be chosen if there is a floor, and no cluster within it.
    """
    split = [np.inf] * len(clusters.size)  # the density at which the clusters within are joined
    for number, parent in enumerate(clusters.parent):
        if parent >= 0:
            split[parent] = clusters.birth[number]
    return [
        at >= floor if parent >= 0 else floor > 0 and at == np.inf
        for at, parent in zip(split, clusters.parent, strict=True)
    ]


def _stability(clusters: Clusters) -> list[float]:
    return [
        mass - size * birth
        for mass, size, birth in zip(clusters.mass, clusters.size, clusters.birth, strict=True)
    ]


def _excess_of_mass(clusters: Clusters, allowed: list[bool]) -> list[bool]:
    """Choose the allowed clusters of the greatest total stability, none of them within another."""
    stability = _stability(clusters)
    within = [0.0] * len(stability)
    chosen = [False] * len(stability)
    for number, parent in enumerate(clusters.parent):
        chosen[number] = allowed[number] and stability[number] >= within[number]
        if parent >= 0:
            within[parent] += max(stability[number] if allowed[number] else 0.0, within[number])
    return chosen


def _leaves(clusters: Clusters, allowed: list[bool]) -> list[bool]:
    """Choose the allowed clusters that hold no other cluster."""
    inner = set(clusters.parent)
    return [may and number not in inner for number, may in enumerate(allowed)]


def _apart(clusters: Clusters, chosen: list[bool], epsilon: float) -> list[bool]:
    """Replace each chosen cluster that splits off below a length by the innermost around it that does not.

    If there is none but a root, the outermost below the root is taken.
    """
    apart = [False] * len(chosen)
    for number in [number for number, taken in enumerate(chosen) if taken]:
        outer, above = number, clusters.parent[number]
        while clusters.birth[outer] * epsilon > 1 and clusters.parent[above] >= 0:
            outer, above = above, clusters.parent[above]
        apart[outer] = True
    return apart
