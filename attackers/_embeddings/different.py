"""Different photos in the order of their contents, and the way back to the photos as they were given.

Copies of one photo are each other's nearest neighbours, and would keep all others from a list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from bench.types import Ints

from .order import content_order, put_back
from .rows import Floats32, unit_rows


@dataclass(frozen=True, slots=True)
class Different:
    """The different rows among embeddings.

    Attributes:
        rows: [row, dimension], unit vectors, in a seeded order of their contents.
        order: int [photo], the photos in that order, copies one after another.
        place: int [photo], the row of each photo of `order`.
    """

    rows: Floats32
    order: Ints
    place: Ints

    @classmethod
    def of(cls, embeddings: npt.ArrayLike, seed: int) -> Self:
        """The different rows.

        Args:
            embeddings: [photo, dimension]; only the direction of a row matters.
            seed: The seed of the order.

        Raises:
            ValueError: as in `unit_rows`.
        """
        rows = unit_rows(embeddings)
        order = content_order(rows, seed)
        rows = rows[order]
        new = np.ones(len(rows), np.bool_)
        new[1:] = (rows[1:] != rows[:-1]).any(axis=1)
        return cls(rows[new], order, np.cumsum(new) - 1)

    def labels(self, of_rows: Ints) -> Ints:
        """The clusters of the photos as they were given, numbered from 0 by first appearance.

        Args:
            of_rows: int [row], -1 for noise. A row that is noise is a cluster if it has copies.
        """
        copies = np.bincount(self.place, minlength=len(of_rows))
        alone = (of_rows == -1) & (copies > 1)
        named = of_rows.copy()
        named[alone] = of_rows.max(initial=-1) + 1 + np.arange(int(alone.sum()))
        return put_back(named[self.place], self.order)
