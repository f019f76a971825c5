"""Nearest neighbours: names the person on a probe by the labelled photos that look most alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.errors import UserError
from bench.types import PluginCard

from ._identify.enrolled import Enrolled, Scorer
from ._identify.nearest_photos import mean_of_nearest
from ._identify.openset import OpenSet


@dataclass(frozen=True)
class Knn(OpenSet):
    """Ranks people by the mean cosine similarity of their k gallery photos that are nearest to the probe.

    With k = 1 this is the rank-k identification of face recognition: a person is as near as their best photo.

    Attributes:
        k: The number of gallery photos of a person that count; all photos count of a person who has fewer.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="ranks gallery people by their k photos nearest to the probe",
        source="Cover and Hart, IEEE Trans. Inf. Theory 13(1), 1967",
    )

    k: int = 1

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        if self.k < 1:
            raise UserError(f"{self.name}: k {self.k} is below 1. Try k=1.")

    def fitted(self, gallery: Enrolled) -> Scorer:
        """The mean cosine of the k nearest photos of each person, in [-1, 1]."""
        return mean_of_nearest(gallery, self.k)


PLUGIN = Knn
