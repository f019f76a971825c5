"""What attackers share that are told how many people there are: their number, and groups around means."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning

from bench.types import Ints


def told(attacker: str, people: int | None, photos: int) -> int:
    """The number of clusters to make: as many as people, but no more than photos.

    Raises:
        ValueError: if nobody said how many people there are.
    """
    if people is None:
        raise ValueError(f"{attacker} has not been told how many people there are: give it people=N")
    return min(people, photos)


def grouped(
    points: npt.NDArray[np.floating], groups: int, restarts: int, seed: int, exact_up_to: int
) -> Ints:
    """k-means with k-means++ (Arthur and Vassilvitskii 2007): Lloyd's, or in mini-batches beyond a size.

    Of `restarts` first means the ones are taken from which the points end up nearest to their means.
    """
    kind = KMeans if len(points) <= exact_up_to else MiniBatchKMeans
    with warnings.catch_warnings():
        # Fewer different photos than people: then each of them is a cluster, and that is the answer.
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = kind(groups, n_init=restarts, random_state=seed).fit_predict(points)
    return np.asarray(found, np.int64)
