"""k-means with as many clusters as there are people: an oracle, for nobody tells an attacker that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from bench.types import Embeddings, Ints, Labels, PluginCard

from ._cluster.oracle import grouped, told
from ._embeddings.order import in_content_order
from ._embeddings.rows import Floats32
from ._parameters.choice import check_least


@dataclass(frozen=True)
class Kmeans:
    """k-means of unit vectors, the true number of people given.

    Attributes:
        people: clusters to make; None is what the framework says there are.
        exact_up_to: photos up to which every step of Lloyd's algorithm sees all photos; beyond, mini-batches
            (Sculley 2010).
        restarts: first means to start from; the result that is nearest to its means is taken.
        seed: of the first means.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="k-means, told the true number of people (an oracle)",
        source="Lloyd, IEEE Trans. Inf. Theory 1982; first means: Arthur and Vassilvitskii, SODA 2007",
        oracle=True,
    )

    people: int | None = None
    exact_up_to: int = 10_000
    restarts: int = 4
    seed: int = 0

    def calibrated(
        self, embeddings: Embeddings, people: Labels, objective: Callable[[Labels, Labels], float]
    ) -> Kmeans:
        """Itself: it has no threshold."""
        del embeddings, people, objective
        return self

    def informed(self, people: int) -> Kmeans:
        """A copy that knows how many people there are; a number that was given stays."""
        return self if self.people is not None else replace(self, people=people)

    def cluster(self, embeddings: Embeddings) -> Labels:
        """Assign every embedding to a cluster, numbered from 0 by first appearance; nobody is noise.

        Raises:
            UserError: for parameters out of range.
            ValueError: before it was told how many people there are, and for embeddings that are zero or not
                finite.
        """
        check_least("kmeans", "people", self.people, 1, 100)
        check_least("kmeans", "exact_up_to", self.exact_up_to, 0, 10_000)
        check_least("kmeans", "restarts", self.restarts, 1, 4)
        check_least("kmeans", "seed", self.seed, 0, 0)
        groups = told("kmeans", self.people, len(embeddings))

        def labels(rows: Floats32) -> Ints:
            if groups == 0:
                return np.empty(0, np.int64)
            return grouped(rows, groups, self.restarts, self.seed, self.exact_up_to)

        return in_content_order(embeddings, self.seed, labels)


PLUGIN = Kmeans
