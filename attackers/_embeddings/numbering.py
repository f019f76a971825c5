"""The numbers of clusters: by first appearance, -1 for noise."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from bench.types import Ints


def without_singles(labels: npt.NDArray[np.int64] | npt.NDArray[np.int32]) -> Ints:
    """The same clusters, numbered by first appearance; a cluster of one photo becomes noise."""
    group = np.unique(labels, return_inverse=True)[1]
    alone = np.bincount(group, minlength=1)[group] == 1
    return by_first_appearance(np.where(alone, -1, group).astype(np.int64))


def by_first_appearance(labels: Ints) -> Ints:
    """The same clusters, numbered 0, 1, … in the order in which their first photos come; -1 stays."""
    clustered = labels != -1
    names, first, group = np.unique(labels[clustered], return_index=True, return_inverse=True)
    rank = np.empty(names.size, np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(names.size)
    result = np.full(labels.shape, -1, np.int64)
    result[clustered] = rank[group]
    return result


def members(labels: Ints) -> list[Ints]:
    """The photos of each cluster, in increasing order, cluster by cluster; noise is left out.

    Args:
        labels: int [photo], clusters numbered densely from 0, -1 for noise.
    """
    order = np.argsort(labels, kind="stable")
    edges = np.searchsorted(labels[order], np.arange(int(labels.max(initial=-1)) + 2))
    return [order[start:end] for start, end in pairwise(edges.tolist())]
