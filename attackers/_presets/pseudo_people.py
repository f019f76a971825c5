"""The second step of LibrePhotos: a network that learns one mean a cluster, and names the rest."""

from __future__ import annotations

import warnings

import numpy as np
from threadpoolctl import threadpool_limits

from bench.types import Ints

from .._embeddings.rows import Floats32
from .._graph.assigning import cluster_means

_PAGE = 4096  # the number of photos that are named at once


def named_by_network(rows: Floats32, labels: Ints, accept: float) -> Ints:
    """The same clusters, joined by the photos that a network takes for one of them.

    The network learns the mean of each cluster as the one photo of a person. It has one hidden layer of 100
    units, a ridge of 1e-5, and Adam for 1,000 passes at most, as LibrePhotos sets it; the rest is
    scikit-learn's default. It computes on one thread, so that its answers do not depend on their number.

    Args:
        rows: [photo, dimension], unit vectors, in an order that their contents decide.
        labels: int [photo], clusters numbered densely from 0, -1 for noise.
        accept: The probability above which a photo joins.

    Returns:
        int [photo]. With fewer than two clusters nothing joins: there is nothing to learn.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    leftover = np.flatnonzero(labels < 0)
    means = cluster_means(rows, labels)
    if not leftover.size or len(means) < 2:
        return labels
    joined = labels.copy()
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        network = MLPClassifier(solver="adam", alpha=1e-5, random_state=1, max_iter=1000)
        network.fit(means.astype(np.float64), np.arange(len(means)))
        for start in range(0, leftover.size, _PAGE):
            part = leftover[start : start + _PAGE]
            probability = network.predict_proba(rows[part].astype(np.float64))
            sure = probability.max(axis=1) > accept
            joined[part[sure]] = probability.argmax(axis=1)[sure]
    return joined
