"""Ente's face clustering: each face joins the nearest earlier one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.types import Embeddings, Ints, Labels, PluginCard

from ._cluster.untuned import Untuned
from ._embeddings.order import in_content_order
from ._embeddings.rows import Floats32
from ._graph.incremental import linear_labels
from ._graph.neighbours import neighbour_graph
from ._graph.searching import Searching
from ._parameters.ranges import check_distance
from ._presets.deployed import Deployed, Numbers


@dataclass(frozen=True)
class Ente(Deployed, Untuned, Searching):
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

    def cluster(self, embeddings: Embeddings) -> Labels:
        """Assign every embedding to a cluster, numbered from 0 by first appearance, or to noise (-1).

        Raises:
            UserError: for parameters out of range.
            ValueError: for embeddings that are zero or not finite.
        """
        self.check()

        def labels(rows: Floats32) -> Ints:
            return linear_labels(neighbour_graph(rows, self.max_distance, self))

        return in_content_order(embeddings, self.seed, labels)


PLUGIN = Ente
