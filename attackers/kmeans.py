"""k-means with as many clusters as there are people: an oracle, for nobody tells an attacker that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bench.types import Embeddings, Ints, Labels, PluginCard

from ._cluster.oracle import Oracle, kmeans_labels
from ._cluster.untuned import Untuned
from ._embeddings.order import in_content_order
from ._embeddings.rows import Floats32
from ._parameters.ranges import check_least


@dataclass(frozen=True)
class Kmeans(Untuned, Oracle):
    """k-means of unit vectors, the true number of people given.

    Attributes:
        exact_up_to: The number of photos up to which every step of Lloyd's algorithm sees all photos. Beyond
            it, a step sees a mini-batch (Sculley 2010).
        restarts: The number of tries, from other first means each. The result is taken in which the photos
            are nearest to their means.
        seed: The seed of the first means.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="k-means, told the true number of people (an oracle)",
        source="Lloyd, IEEE Trans. Inf. Theory 1982; first means: Arthur and Vassilvitskii, SODA 2007",
        oracle=True,
    )

    exact_up_to: int = 10_000
    restarts: int = 4
    seed: int = 0

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        check_least(self.name, "exact_up_to", self.exact_up_to, 0, 10_000)
        check_least(self.name, "restarts", self.restarts, 1, 4)
        check_least(self.name, "seed", self.seed, 0, 0)

    def cluster(self, embeddings: Embeddings) -> Labels:
        """Assign every embedding to a cluster, numbered from 0 by first appearance; no photo is noise.

        Raises:
            UserError: for parameters out of range.
            ValueError: before it was told how many people there are, and for embeddings that are zero or not
                finite.
        """
        self.check()
        groups = self.groups(len(embeddings))

        def labels(rows: Floats32) -> Ints:
            if groups == 0:
                return np.empty(0, np.int64)
            return kmeans_labels(rows, groups, self.restarts, self.seed, self.exact_up_to)

        return in_content_order(embeddings, self.seed, labels)


PLUGIN = Kmeans
