"""Nextcloud Recognize: HDBSCAN's excess of mass among edges up to a cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bench.attackers._graph.condensed import hdbscan_labels
from bench.attackers._graph.cut import cut_labels
from bench.attackers._graph.searching import Searching
from bench.attackers._graph.spanning import Tree, neighbour_lists, spanning_tree
from bench.attackers.recognize import core_neighbours, smallest_cluster
from sklearn.metrics import adjusted_rand_score

from bench import registry

Recognize = registry.load("attackers", "recognize")


def on_a_line(*places: float) -> Tree:
    """The spanning tree of photos at places on a line, in increasing order."""
    gaps = np.diff(places).astype(np.float32)
    numbers = np.arange(len(gaps))
    return Tree(numbers, numbers + 1, gaps)


def labels(places: list[float], **more: Any) -> list[int]:
    numbers = {"least": 2, "cut": 1.0, "separation": 0.1} | more
    return list(cut_labels(on_a_line(*places), len(places), **numbers))


def recursive(tree: Tree, photos: int, least: int, cut: float, separation: float) -> np.ndarray:
    """The product's procedure as it reads: remove the longest edge, prune what is small, split or go on."""
    edges = sorted(zip(*(part.tolist() for part in tree), strict=True), key=lambda edge: edge[2])
    out = np.full(photos, -1)

    def vertices(part: list[Any]) -> set[int]:
        return {end for edge in part for end in edge[:2]}

    def side(part: list[Any], start: int) -> tuple[set[int], list[Any]]:
        seen, queue = {start}, [start]
        while queue:
            here = queue.pop()
            for a, b, _ in part:
                for one, other in ((a, b), (b, a)):
                    if one == here and other not in seen:
                        seen.add(other)
                        queue.append(other)
        return seen, [edge for edge in part if edge[0] in seen]

    def mass(part: list[Any]) -> float:
        """The sum over a cluster's edges of the density at which each goes, along its larger sides."""
        remaining, total = list(part), 0.0
        while remaining:
            before = len(remaining)
            a, b, length = remaining.pop()
            sides = [edges for seen, edges in (side(remaining, a), side(remaining, b)) if len(seen) >= least]
            remaining = max(sides, key=lambda edges: (len(edges), mass(edges)), default=[])
            total += (before - len(remaining)) / length
        return total

    def taken(part: list[Any], birth: float, root: bool) -> list[tuple[float, set[int]]]:
        weight, last, length, whole = 0.0, birth, np.inf, vertices(part)
        remaining = list(part)
        while True:
            if len(remaining) < least - 1:
                return [] if length > cut else [(weight, whole)]
            before = len(remaining)
            a, b, length = remaining.pop()
            density = 1 / length
            if length > cut:
                last = density
            weight += (density - last) * before
            last = density
            sides = [side(remaining, a), side(remaining, b)]
            small = [len(seen) < least for seen, _ in sides]
            if any(small):
                keep = [edges for (_, edges), few in zip(sides, small, strict=True) if not few]
                remaining = keep[0] if keep else []
            elif length < separation:
                # of two sides of one size the product takes either; ours the heavier
                remaining = max((edges for _, edges in sides), key=lambda part: (len(part), mass(part)))
                continue
            else:
                children = [one for _, edges in sides for one in taken(edges, density, False)]
                if root or sum(w for w, _ in children) >= weight:
                    return children
                return [(weight, whole)]
            if length > cut:
                whole = vertices(remaining)

    for number, (_, photos_of) in enumerate(taken(edges, 0.0, True)):
        out[list(photos_of)] = number
    return out


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize(
    ("least", "cut", "separation"), [(2, 1.0, 0.7), (3, 0.9, 0.5), (5, 1.1, 0.0), (4, 9.0, 0.6)]
)
def test_it_is_the_products_procedure_on_trees_without_equal_edges(
    seed: int, least: int, cut: float, separation: float
) -> None:
    rng = np.random.default_rng(seed)
    photos = int(rng.integers(5, 40))
    left = np.array([rng.integers(0, i) for i in range(1, photos)])
    length = rng.gamma(2.0, 0.35, photos - 1).astype(np.float32)
    tree = Tree(left, np.arange(1, photos), length)
    ours = cut_labels(tree, photos, least, cut, separation)
    expected = recursive(tree, photos, least, cut, separation)
    assert np.array_equal(ours == -1, expected == -1)
    assert adjusted_rand_score(ours, expected) == 1


def test_the_cut_keeps_two_people_apart_whom_excess_of_mass_would_join() -> None:
    # Two loose people, 1.2 apart, far from a tight one. Within each of the two, photos are .9 apart, so that
    # the two as one last longer than each alone, and eom takes them whole. No cluster has an edge of 1.2.
    loose = [0, 0.9, 1.8, 2.7, 3.9, 4.8, 5.7, 6.6]
    tight = [20, 20.1, 20.2, 20.3]
    tree = on_a_line(*loose, *tight)
    assert hdbscan_labels(tree, 12, 2, leaf=False).tolist() == [0] * 8 + [1] * 4
    assert cut_labels(tree, 12, 2, cut=1.0, separation=0.0).tolist() == [0] * 4 + [1] * 4 + [2] * 4


def test_nothing_splits_below_the_separation() -> None:
    # two tight pairs .5 apart, and a third group far away
    places = [0, 0.01, 0.51, 0.52, 30, 30.01]
    assert labels(places, separation=0.7) == [0, 0, 0, 0, 1, 1]
    assert labels(places, separation=0.3) == [0, 0, 1, 1, 2, 2]


def test_a_photo_beyond_the_cut_is_noise() -> None:
    assert labels([0, 0.2, 0.4, 1.5], separation=0.5) == [0, 0, 0, -1]
    assert labels([0, 1.5, 3.0]) == [-1, -1, -1]


def test_all_photos_are_one_cluster_where_they_do_not_split_and_none_where_they_do() -> None:
    assert labels([0, 0.2, 0.5, 0.7], separation=0.6) == [0] * 4
    assert labels([0, 0.2, 0.9, 1.1], separation=0.6) == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("photos", "size", "rank"),
    # n^(1/4.7) and n^(1/5.6): 26^.2128 = 2.0; 120: 2.77, 2.35; 1,000: 4.35, 3.43; 5,000: 6.1, 4.6
    [
        (1, 2, 2),
        (26, 2, 2),
        (120, 3, 2),
        (200, 3, 3),
        (1000, 4, 3),
        (2000, 5, 4),
        (5000, 5, 4),
        (10**6, 5, 4),
    ],
)
def test_sizes_grow_with_the_collection_as_the_product_says(photos: int, size: int, rank: int) -> None:
    assert (smallest_cluster(photos), core_neighbours(photos)) == (size, rank)


def test_people_farther_apart_than_the_edge_are_two_however_alike_the_rest() -> None:
    rng = np.random.default_rng(0)
    centres = np.eye(3, 32)
    rows = np.repeat(centres, 20, axis=0) + 0.03 * rng.normal(size=(60, 32))
    owners = np.repeat(np.arange(3), 20)
    found = Recognize().cluster(rows.astype(np.float32))
    assert adjusted_rand_score(found, owners) == 1
    # orthogonal people are 1.41 apart: an edge of 1.5 makes one cluster of all where nothing splits below it
    assert set(Recognize(edge=1.5, separation=1.5).cluster(rows.astype(np.float32))) == {0}


def test_ties_do_not_hang_on_the_order_of_the_photos() -> None:
    rng = np.random.default_rng(1)
    owners = rng.permutation(np.arange(300) % 30)
    rows = rng.normal(size=(30, 16))[owners] + 0.7 * rng.normal(size=(300, 16))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    order = rng.permutation(300)
    back = np.empty(300, np.int64)
    back[order] = Recognize().cluster(rows[order])
    same = Recognize().cluster(rows)
    assert (
        len(set(zip(back.tolist(), same.tolist(), strict=True)))
        == np.unique(same).size
        == np.unique(back).size
    )
    tree = spanning_tree(rows, neighbour_lists(rows, 3, Searching()), 3)
    assert np.array_equal(cut_labels(tree, 300, 3, 1.0, 0.7), same)
