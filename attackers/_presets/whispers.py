"""Products that sort dlib's embeddings by Chinese Whispers at a fixed Euclidean distance."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from bench.errors import UserError
from bench.types import Ints

from .._embeddings.numbering import by_first_appearance
from .._embeddings.rows import Floats32
from .._graph.neighbours import neighbour_graph
from .._graph.whispers import whispered_labels
from .._parameters.ranges import check_least
from .sorting import Sorting


@dataclass(frozen=True)
class Whispers(Sorting):
    """Chinese Whispers on the graph of near photos, all edges alike; never tuned.

    dlib visits 100 n photos at random, each as often as it happens. Here every photo is visited once a pass,
    in a random order, 100 passes at most. The seed decides the order of visits.

    Attributes:
        distance: The Euclidean distance up to which two photos are near; None is the product's.
        length: The mean length of the family's embeddings. Embeddings have length 1 here, so that the
            distance is divided by it; None is that of the product's encoder.
        passes: The number of passes over all photos, at most.
        least: The number of photos that make a cluster; smaller ones are noise.
    """

    distance: float | None = None
    length: float | None = None
    passes: int = 100
    least: int = 2

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        distance, length = self.number("distance"), self.number("length")
        if not 0 < length < math.inf or not 0 < distance <= 2 * length:
            raise UserError(
                f"{self.name}: distance {distance:g} must be above 0, at most twice the length {length:g}, "
                "which must be above 0. Leave them out for the product's."
            )
        check_least(self.name, "passes", self.passes, 1, 100)
        check_least(self.name, "least", self.least, 1, 5)

    def labels(self, rows: Floats32) -> Ints:
        """See `Sorting.labels`."""
        # For unit vectors |a - b|^2 = 2 (1 - cos).
        graph = neighbour_graph(rows, (self.number("distance") / self.number("length")) ** 2 / 2, self)
        alike = replace(graph, distance=np.zeros_like(graph.distance))
        labels = whispered_labels(alike, self.passes, self.seed)
        sizes = np.bincount(labels + 1, minlength=1)
        return by_first_appearance(np.where(sizes[labels + 1] < self.least, -1, labels))
