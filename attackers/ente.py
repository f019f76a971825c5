"""Ente's face clustering: each face joins the nearest earlier one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.types import Ints, PluginCard

from ._embeddings.rows import Floats32
from ._graph.incremental import linear_labels
from ._graph.neighbours import neighbour_graph
from ._parameters.ranges import check_distance
from ._presets.deployed import Numbers
from ._presets.sorting import Sorting


@dataclass(frozen=True)
class Ente(Sorting):
    """Linear incremental clustering with a fixed distance; never tuned, whatever the encoder.

    Two near faces are a cluster already, and one face between two clusters is enough to lead photos of one
    person to another, but two clusters are never merged. Ente takes faces in the order in which photos were
    taken. Here the seed decides the order.

    Ente joins blurred and turned faces up to .16 only. Embeddings do not say which these are, so that all
    faces have the one distance here. Ente works on 10,000 faces at a time; here all are compared.

    Attributes:
        max_distance: The cosine distance up to which a face joins the nearest earlier face.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="each face joins the nearest earlier one, as in Ente: cosine distance .24; not tuned",
        source="preset of Ente Photos, 2026-07-01: face_clustering_service.dart",
    )
    numbers: ClassVar[Numbers] = {"ente": {"max_distance": 0.24}}

    max_distance: float = 0.24

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        check_distance(self.name, "max_distance", self.max_distance, (self.max_distance,))

    def labels(self, rows: Floats32) -> Ints:
        """See `Sorting.labels`."""
        return linear_labels(neighbour_graph(rows, self.max_distance, self))


PLUGIN = Ente
