"""Clusters that grow face by face, in the order in which the faces come."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.types import Ints

from .._embeddings.numbering import without_singles
from .neighbours import Graph


def recognised_labels(graph: Graph, runs: Sequence[int]) -> Ints:
    """The people that Immich's job queue makes of faces that come one after another.

    In a run, every face without a person is looked at. A face with enough near faces is a core. A core joins
    the nearest of them that has a person already, or becomes a new person. All other faces of the run wait
    until its cores are assigned; then each joins the nearest face with a person, or stays without. Two people
    are never merged.

    Args:
        graph: All pairs of near faces; a face's number is its place in the order.
        runs: For each run, the number of near faces, the face itself included, that make a face a core.

    Returns:
        int [face], people numbered from 0 in the order in which they are made; -1 for nobody.
    """
    ends = np.concatenate([graph.left, graph.right])
    other_ends = np.concatenate([graph.right, graph.left])
    order = np.lexsort((other_ends, np.tile(graph.distance, 2), ends))
    starts = np.searchsorted(ends[order], np.arange(graph.photos + 1)).tolist()
    near = other_ends[order].tolist()
    person = [-1] * graph.photos
    people = 0
    for least in runs:
        waiting = []
        for face in [face for face in range(graph.photos) if person[face] < 0]:
            start, end = starts[face], starts[face + 1]
            if end - start + 1 < least:
                waiting.append(face)
                continue
            person[face] = next((person[other] for other in near[start:end] if person[other] >= 0), people)
            people += person[face] == people
        for face in waiting:
            others = near[starts[face] : starts[face + 1]]
            person[face] = next((person[other] for other in others if person[other] >= 0), -1)
    return np.asarray(person, np.int64)


def linear_labels(graph: Graph) -> Ints:
    """Each face joins the cluster of the nearest of the near faces that came before it.

    A face without a near face before it begins a cluster. Two clusters are never merged.

    Args:
        graph: All pairs of near faces; a face's number is its place in the order.

    Returns:
        int [face], clusters numbered from 0 by first appearance; a face that stays alone is noise, -1.
    """
    # Of equally near faces the last counts: it is the one that is met first on the way back.
    order = np.lexsort((-graph.left, graph.distance, graph.right))
    later, first = np.unique(graph.right[order], return_index=True)
    cluster = np.arange(graph.photos)
    for face, before in zip(later.tolist(), graph.left[order][first].tolist(), strict=True):
        cluster[face] = cluster[before]
    return without_singles(cluster)
