"""Immich's face recognition, with the parameters that it is shipped with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bench.types import Embeddings, Ints, Labels, PluginCard

from ._cluster.untuned import Untuned
from ._embeddings.order import in_content_order
from ._embeddings.rows import Floats32
from ._graph.neighbours import Graph, neighbour_graph
from ._graph.searching import Searching
from ._parameters.ranges import check_distance, check_least


@dataclass(frozen=True)
class Immich(Untuned, Searching):
    """One face after another, as Immich's job queue does it; never tuned, whatever the encoder.

    A face with at least `min_faces` faces within `max_distance`, itself included, is a core. A core joins the
    nearest of these faces that has a person already, or becomes a new person. All other faces wait until the
    cores are assigned; then each joins the nearest face with a person, or stays noise. Two people who turn
    out to be one are never merged, so that the order of upload matters. Here the seed decides that order.

    Attributes:
        max_distance: The cosine distance up to which two faces are near each other.
        min_faces: The number of near faces, the face itself included, that make a face a core.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="face by face as in Immich: cosine distance .5, 3 faces; not tuned",
        source="preset of immich.app: handleRecognizeFaces with maxDistance .5, minFaces 3",
    )

    max_distance: float = 0.5
    min_faces: int = 3

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        check_distance(self.name, "max_distance", self.max_distance, (self.max_distance,))
        check_least(self.name, "min_faces", self.min_faces, 1, 3)

    def cluster(self, embeddings: Embeddings) -> Labels:
        """Assign every embedding to a cluster, numbered from 0 by first appearance, or to noise (-1).

        Raises:
            UserError: for parameters out of range.
            ValueError: for embeddings that are zero or not finite.
        """
        self.check()

        def labels(rows: Floats32) -> Ints:
            return _recognised(neighbour_graph(rows, self.max_distance, self), self.min_faces)

        return in_content_order(embeddings, self.seed, labels)


def _recognised(graph: Graph, min_faces: int) -> Ints:
    """The person of each face, in the order in which the faces come; -1 for noise."""
    ends = np.concatenate([graph.left, graph.right])
    other_ends = np.concatenate([graph.right, graph.left])
    order = np.lexsort((other_ends, np.tile(graph.distance, 2), ends))
    starts = np.searchsorted(ends[order], np.arange(graph.photos + 1)).tolist()
    near = other_ends[order].tolist()
    person = [-1] * graph.photos
    people = 0
    waiting = []
    for face in range(graph.photos):
        start, end = starts[face], starts[face + 1]
        if end - start + 1 < min_faces:
            waiting.append(face)
            continue
        person[face] = next((person[other] for other in near[start:end] if person[other] >= 0), people)
        people += person[face] == people
    for face in waiting:
        others = near[starts[face] : starts[face + 1]]
        person[face] = next((person[other] for other in others if person[other] >= 0), -1)
    return np.asarray(person, np.int64)


PLUGIN = Immich
