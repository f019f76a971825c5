"""Nextcloud Recognize: HDBSCAN with an absolute cut."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from bench.errors import UserError
from bench.types import Embeddings, Labels, PluginCard

from ._cluster.untuned import Untuned
from ._embeddings.rows import unit_rows
from ._graph.cut import cut_labels
from ._graph.searching import Searching
from ._graph.spanning import neighbour_lists, spanning_tree
from ._presets.deployed import Deployed, Numbers
from ._presets.families import DLIB_LENGTH


@dataclass(frozen=True)
class Recognize(Deployed, Untuned, Searching):
    """HDBSCAN whose clusters hold no long edge and split at no short one; never tuned.

    The smallest cluster has n^(1/4.7) photos of n, at least 2 and at most 5. A photo's core distance is that
    to its neighbour of rank n^(1/5.6), at least 2 and at most 4, the photo itself counted. Unlike HDBSCAN, it
    takes all photos for one cluster where they do not split, and people who are farther apart than `edge` are
    never one cluster, however few photos there are between them.

    Recognize waits for 120 faces, and lets old clusters vote on new ones. Here all photos come at once, and
    their number does not matter.

    Distances are Euclidean. Those that are None depend on the encoder's family.

    Attributes:
        edge: The longest edge within a cluster.
        separation: The shortest edge at which a cluster splits.
        length: The mean length of the family's embeddings. Embeddings have length 1 here, so that distances
            are divided by it.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="HDBSCAN with an edge cut as in Nextcloud Recognize; numbers by encoder family; not tuned",
        source="preset of Nextcloud Recognize, 2026-08-22: lib/Service/FaceClusterAnalyzer.php",
    )
    numbers: ClassVar[Numbers] = {
        "w600k_r50": {"edge": 1.0, "separation": 0.7, "length": 1.0},
        "dlib": {"edge": 0.5, "separation": 0.35, "length": DLIB_LENGTH},
    }

    edge: float | None = None
    separation: float | None = None
    length: float | None = None

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        edge, separation, length = map(self.number, ("edge", "separation", "length"))
        if not 0 <= separation <= edge or not 0 < length < math.inf:
            raise UserError(
                f"{self.name}: separation {separation:g} must be from 0 to edge {edge:g}, and length "
                f"{length:g} above 0. Leave them out for the product's."
            )

    def cluster(self, embeddings: Embeddings) -> Labels:
        """Assign every embedding to a cluster, numbered from 0 by first appearance, or to noise (-1).

        Raises:
            UserError: for parameters out of range.
            ValueError: for embeddings that are zero or not finite.
        """
        self.check()
        rows = unit_rows(embeddings)
        least, samples = smallest_cluster(len(rows)), core_neighbours(len(rows))
        edge, separation, length = map(self.number, ("edge", "separation", "length"))
        tree = spanning_tree(rows, neighbour_lists(rows, samples, self), samples)
        return cut_labels(tree, len(rows), least, edge / length, separation / length)


def smallest_cluster(photos: int) -> int:
    """The number of photos that make a cluster in a collection of some size."""
    return math.floor(max(2.0, min(5.0, math.pow(photos, 1 / 4.7))) + 0.5)


def core_neighbours(photos: int) -> int:
    """The rank of the neighbour that decides a photo's core distance in a collection of some size."""
    return math.floor(max(2.0, min(4.0, math.pow(photos, 1 / 5.6))) + 0.5)


PLUGIN = Recognize
