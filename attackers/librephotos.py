"""LibrePhotos: HDBSCAN, then a network that names the photos that are left."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from bench.errors import UserError
from bench.types import Ints, PluginCard

from ._embeddings.rows import Floats32
from ._graph.condensed import hdbscan_labels
from ._graph.spanning import neighbour_lists, spanning_tree
from ._parameters.ranges import check_least
from ._presets.deployed import Numbers
from ._presets.families import DLIB_LENGTH
from ._presets.pseudo_people import named_by_network
from ._presets.sorting import Sorting

_SAMPLES = 2  # LibrePhotos says 1, and its HDBSCAN does not count the photo itself; ours does
_SIZES = {100_000: 16, 10_000: 8, 1_000: 4}
"""More than so many photos -> the number of photos that make a cluster; otherwise 2."""


@dataclass(frozen=True)
class Librephotos(Sorting):
    """HDBSCAN by excess of mass, then a network that takes cluster means for people; never tuned.

    A cluster has at least 2 photos, 4 in a collection of more than 1,000, 8 above 10,000 and 16 above
    100,000. The mean of each cluster is a person with one photo to the network. A photo without a cluster
    joins that of the person whose probability is above `accept`.

    LibrePhotos also learns the faces that its user has named. Here nobody is named.

    Attributes:
        epsilon: The Euclidean distance below which clusters are not apart; None is the product's.
        length: The mean length of the family's embeddings; see `Recognize`.
        accept: The probability above which the network's answer counts.
        clusters: The number of clusters up to which the network is trained: its cost grows with their square.
            Beyond, photos without a cluster stay noise.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="HDBSCAN, then a network over cluster means as in LibrePhotos; not tuned",
        source="preset of LibrePhotos, 2024-10-24: api/face_classify.py, api/models/user.py",
    )
    numbers: ClassVar[Numbers] = {"dlib": {"epsilon": 0.05, "length": DLIB_LENGTH}}

    epsilon: float | None = None
    length: float | None = None
    accept: float = 0.5
    clusters: int = 2000

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        epsilon, length = self.number("epsilon"), self.number("length")
        if not 0 <= epsilon < math.inf or not 0 < length < math.inf or not 0 <= self.accept < 1:
            raise UserError(
                f"{self.name}: epsilon {epsilon:g} must be at least 0, length {length:g} above 0, accept "
                f"{self.accept:g} from 0 to below 1. Leave them out for the product's."
            )
        check_least(self.name, "clusters", self.clusters, 0, 2000)

    def labels(self, rows: Floats32) -> Ints:
        """See `Sorting.labels`."""
        tree = spanning_tree(rows, neighbour_lists(rows, _SAMPLES, self), _SAMPLES)
        apart = self.number("epsilon") / self.number("length")
        labels = hdbscan_labels(tree, len(rows), smallest_cluster(len(rows)), leaf=False, epsilon=apart)
        if labels.max(initial=-1) >= self.clusters:
            return labels
        return named_by_network(rows, labels, self.accept)


def smallest_cluster(photos: int) -> int:
    """The number of photos that make a cluster in a collection of some size."""
    return next((size for most, size in _SIZES.items() if photos > most), 2)


PLUGIN = Librephotos
