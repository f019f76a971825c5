"""Products that sort photos into people by numbers of their own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from bench.types import Embeddings, Ints, Labels

from .._cluster.untuned import Untuned
from .._embeddings.order import in_content_order
from .._embeddings.rows import Floats32
from .._graph.searching import Searching
from .deployed import Deployed


@dataclass(frozen=True)
class Sorting(Deployed, Untuned, Searching, ABC):
    """A product that gets photos in the seeded order of their contents; never tuned."""

    @abstractmethod
    def labels(self, rows: Floats32) -> Ints:
        """The cluster of each photo.

        Args:
            rows: [photo, dimension], unit vectors, in the order in which the product gets them.

        Returns:
            int [photo], -1 for noise.
        """

    def cluster(self, embeddings: Embeddings) -> Labels:
        """Assign every embedding to a cluster, numbered from 0 by first appearance, or to noise (-1).

        Raises:
            UserError: for parameters out of range.
            ValueError: for embeddings that are zero or not finite.
        """
        self.check()
        return in_content_order(embeddings, self.seed, self.labels)
