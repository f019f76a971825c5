"""What the clusterers share that are told how many people there are: the number, and k-means."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from bench.types import Ints

from .._parameters.attacker import Attacker
from .._parameters.ranges import check_least


@dataclass(frozen=True)
class Oracle(Attacker):
    """A clusterer that is told the true number of people.

    Attributes:
        people: The number of clusters to make; None is the number that the framework tells.
    """

    people: int | None = None

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        check_least(self.name, "people", self.people, 1, 100)

    def informed(self, people: int) -> Self:
        """A copy that knows how many people there are; a number that was given stays."""
        return self if self.people is not None else replace(self, people=people)

    def groups(self, photos: int) -> int:
        """The number of clusters to make: as many as people, but no more than photos.

        Raises:
            ValueError: if nobody said how many people there are.
        """
        if self.people is None:
            raise ValueError(f"{self.name} has not been told how many people there are: give it people=N")
        return min(self.people, photos)


def kmeans_labels(
    points: npt.NDArray[np.floating], groups: int, restarts: int, seed: int, exact_up_to: int
) -> Ints:
    """k-means with first means by k-means++ (Arthur and Vassilvitskii 2007).

    Args:
        points: [photo, coordinate].
        groups: The number of clusters; at least 1.
        restarts: The number of tries, from other first means each. The result is taken in which the points
            are nearest to their means.
        seed: The seed of the first means.
        exact_up_to: The number of points up to which every step of Lloyd's algorithm sees all points. Beyond
            it, a step sees a mini-batch.

    Returns:
        int [photo], from 0 to groups - 1.
    """
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning

    kind = KMeans if len(points) <= exact_up_to else MiniBatchKMeans
    with warnings.catch_warnings():
        # Fewer different photos than people: then each of them is a cluster, and that is the answer.
        warnings.simplefilter("ignore", ConvergenceWarning)
        labels = kind(groups, n_init=restarts, random_state=seed).fit_predict(points)
    return np.asarray(labels, np.int64)
