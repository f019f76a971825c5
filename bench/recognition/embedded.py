"""Embeddings of photos, and which of the photos have a face at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from bench.types import Embeddings, Mask

Rows = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Embedded:
    """Embeddings of photos. A photo without a face has none, and is told by the mask.

    Attributes:
        vectors: float32 [photo, dimension], unit rows; a row of zeros where there is no face.
        has_face: bool [photo].
    """

    vectors: Rows
    has_face: Mask

    def __len__(self) -> int:
        return len(self.has_face)

    @property
    def of_faces(self) -> Embeddings:
        """float32 [face, dimension]: the embeddings of the photos that have a face."""
        return self.vectors[self.has_face]

    @property
    def or_nan(self) -> Rows:
        """float32 [photo, dimension], with NaN where there is no face, as the metrics take them."""
        return np.where(self.has_face[:, None], self.vectors, np.float32(np.nan))

    def select(self, which: Mask) -> Embedded:
        """Some of the photos, in order.

        Args:
            which: bool [photo].
        """
        return Embedded(self.vectors[which], self.has_face[which])

    def without(self, which: Mask) -> Embedded:
        """The same photos, some of them as if they had no face.

        Args:
            which: bool [photo].
        """
        return Embedded(self.vectors, self.has_face & ~which).mapped(self.vectors)

    def mapped(self, vectors: Rows) -> Embedded:
        """The same photos with other embeddings.

        Args:
            vectors: float32 [photo, any dimension]; what stands where there is no face does not count.
        """
        return replace(self, vectors=np.where(self.has_face[:, None], vectors, np.float32(0)))


def all_faces(vectors: Embeddings) -> Embedded:
    """Embeddings of photos that all have a face.

    Args:
        vectors: float32 [photo, dimension].
    """
    return Embedded(vectors, np.ones(len(vectors), bool))


def joined(parts: Sequence[Embedded]) -> Embedded:
    """Several collections of photos, one after another."""
    return Embedded(
        np.concatenate([part.vectors for part in parts]), np.concatenate([part.has_face for part in parts])
    )
