"""Immich's face recognition, with the parameters that it is shipped with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bench.types import Embeddings, Ints, Labels, PluginCard

from ._embeddings.order import in_content_order
from ._embeddings.rows import Floats32
from ._graph.neighbours import Graph, neighbour_graph
from ._graph.search import Search
from ._parameters.choice import check_distance, check_least


@dataclass(frozen=True)
class Immich:
    """One face after another, as Immich's job queue does it; never tuned, whatever the encoder.

    A face with at least `min_faces` faces within `max_distance`, itself included, is a core. It joins the
    nearest face there that has a person already, or becomes a new person. All others wait until the cores are
    through and then join the nearest face with a person, or stay nobody. Two people who turn out to be one
    are never merged, so that the order of upload matters; here it is random, as the seed says.

    Attributes:
        max_distance: cosine distance.
        min_faces: as above.
        exact_up_to: photos up to which all pairs are compared; beyond, neighbours come from inverted lists.
        probes: inverted lists in which a photo's neighbours are looked for.
        seed: of the order of upload, and of the sample that the lists are learned from.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="face by face as in Immich: cosine distance .5, 3 faces; not tuned",
        source="preset of immich.app: handleRecognizeFaces with maxDistance .5, minFaces 3",
    )

    max_distance: float = 0.5
    min_faces: int = 3
    exact_up_to: int = 30_000
    probes: int = 24
    seed: int = 0

    def calibrated(
        self, embeddings: Embeddings, people: Labels, objective: Callable[[Labels, Labels], float]
    ) -> Immich:
        """Itself: the product's parameters are what they are."""
        del embeddings, people, objective
        return self

    def cluster(self, embeddings: Embeddings) -> Labels:
        """Assign every embedding to a cluster, numbered from 0 by first appearance, or to noise (-1).

        Raises:
            UserError: for parameters out of range.
            ValueError: for embeddings that are zero or not finite.
        """
        check_distance("immich", "max_distance", self.max_distance, (self.max_distance,))
        check_least("immich", "min_faces", self.min_faces, 1, 3)
        search = Search(self.exact_up_to, self.probes, self.seed)
        search.check("immich")

        def labels(rows: Floats32) -> Ints:
            return _recognised(neighbour_graph(rows, self.max_distance, search), self.min_faces)

        return in_content_order(embeddings, self.seed, labels)


def _recognised(graph: Graph, min_faces: int) -> Ints:
    """The person of each face, in the order in which the faces come; -1 for nobody."""
    ends = np.concatenate([graph.left, graph.right])
    others = np.concatenate([graph.right, graph.left])
    order = np.lexsort((others, np.tile(graph.distance, 2), ends))
    starts = np.searchsorted(ends[order], np.arange(graph.photos + 1)).tolist()
    near = others[order].tolist()
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
        there = near[starts[face] : starts[face + 1]]
        person[face] = next((person[other] for other in there if person[other] >= 0), -1)
    return np.asarray(person, np.int64)


PLUGIN = Immich
