"""A learned clusterer: which pairs of neighbours are one person is learned, then likely pairs are linked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from bench.errors import UserError
from bench.types import Embeddings, Floats, Labels, Mask, PluginCard

from ._embeddings.different import Different
from ._embeddings.order import content_order
from ._embeddings.rows import Floats32, unit_rows
from ._graph.average import Merges
from ._graph.neighbours import Graph
from ._graph.searching import Searching
from ._graph.sparse_average import sparse_average_linkage
from ._pairs.features import FEATURES, Pairs
from ._pairs.logistic import fitted_weights, probabilities
from ._parameters.choice import best, check_calibration
from ._parameters.ranges import check_distance, check_least

_UNLIKELY = 0.005
"""A pair that is less likely than this one counts as a pair of strangers."""


@dataclass(frozen=True)
class Pairwise(Searching):
    """Average linkage over the probability that two neighbours are one person, which is learned.

    A logistic regression tells it from cosine, ranks, neighbours in common, and how crowded the places of the
    two photos are. Photos that are not neighbours are strangers. It is trained on training people, clean and
    cloaked. Without any, it is trained on half of the calibration people, and the distance is tuned on all of
    them. A photo by itself is noise (-1). The seed also decides which people are that half.

    Attributes:
        distance: The mean improbability up to which two clusters are merged; None takes the best of `grid` on
            calibration identities.
        neighbours: The number of nearest neighbours that make pairs.
        weights: The weight of each feature, and the intercept; None learns them.
        grid: The increasing candidates for distance.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="average linkage of pairs that a logistic regression learned to tell; trained, then tuned",
        source="own; the idea of classifying pairs: Liu, Qiu, Yan and Wei, ICCV 2021",
    )

    distance: float | None = None
    neighbours: int = 32
    weights: tuple[float, ...] | None = None
    grid: tuple[float, ...] = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95)

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        check_distance(self.name, "distance", self.distance, self.grid)
        if max(self.distance or 0, *self.grid) >= 1:
            raise UserError(f"{self.name}: distance must be below 1. Leave it out, or try distance=0.8.")
        check_least(self.name, "neighbours", self.neighbours, 1, 32)
        if self.weights is not None and len(self.weights) != len(FEATURES) + 1:
            raise UserError(
                f"{self.name}: weights has {len(self.weights)} numbers, not {len(FEATURES) + 1}. "
                "Leave it out, so that it is learned."
            )

    def trained(self, embeddings: Embeddings, people: Labels, cloaked: Mask) -> Pairwise:
        """A copy that has learned which pairs are one person.

        It looks at two collections: the clean photos; and the cloaked ones, among the clean photos of people
        who have none.

        Args:
            embeddings: [photo, dimension], the photos of training people.
            people: int [photo], the person on each photo.
            cloaked: bool [photo], whether the photo is a cloaked one.

        Raises:
            UserError: for fewer than two identities, none with two photos, or parameters out of range.
            ValueError: for embeddings that are zero or not finite.
        """
        self.check()
        if self.weights is not None:
            return self
        check_calibration(people, len(embeddings))
        rows = unit_rows(embeddings)
        collections = [~cloaked, cloaked | ~np.isin(people, people[cloaked])] if cloaked.any() else [~cloaked]
        learned = [self._lesson(rows[part], people[part]) for part in collections]
        features, same = (np.concatenate(part) for part in zip(*learned, strict=True))
        return replace(self, weights=tuple(fitted_weights(features, same).tolist()))

    def calibrated(
        self, embeddings: Embeddings, people: Labels, objective: Callable[[Labels, Labels], float]
    ) -> Pairwise:
        """A copy with the distance of `grid` that sorts the calibration identities best.

        One that was not trained is trained on half of the identities first. See `EpsClusterer.calibrated`.
        """
        self.check()
        if self.distance is not None and self.weights is not None:
            return self
        check_calibration(people, len(embeddings))
        rows = unit_rows(embeddings)
        attacker = self
        if self.weights is None:
            part = half_of_people(rows, people, self.seed)
            attacker = self.trained(rows[part], people[part], np.zeros(int(part.sum()), np.bool_))
        if attacker.distance is not None:
            return attacker
        photos = Different.of(embeddings, self.seed)
        merges = attacker._merges(photos.rows, max(self.grid))
        chosen = best(self.grid, lambda cut: objective(photos.labels(merges.cut(cut)), people))
        return replace(attacker, distance=chosen)

    def cluster(self, embeddings: Embeddings) -> Labels:
        """Assign every embedding to a cluster, numbered from 0 by first appearance, or to noise (-1).

        Raises:
            UserError: for parameters out of range.
            ValueError: before it was trained and calibrated, and for embeddings that are zero or not finite.
        """
        self.check()
        if self.distance is None or self.weights is None:
            raise ValueError(f"{self.name} is not tuned yet: calibrate it, or give distance and weights")
        photos = Different.of(embeddings, self.seed)
        return photos.labels(self._merges(photos.rows, self.distance).cut(self.distance))

    def _lesson(self, rows: Floats32, people: Labels) -> tuple[Floats, Mask]:
        """The features of the pairs of a collection, and whether each is of one person."""
        order = content_order(rows, self.seed)  # sums do not depend on how the photos are listed
        pairs = Pairs.of(rows[order], self.neighbours, self)
        owner = people[order]
        blocks = list(pairs.features()) or [np.empty((0, len(FEATURES)))]
        return np.concatenate(blocks), owner[pairs.left] == owner[pairs.right]

    def _merges(self, rows: Floats32, cut: float) -> Merges:
        pairs = Pairs.of(rows, self.neighbours, self)
        weights = np.array(self.weights)
        likely = [np.where(block[:, 0] > 0, probabilities(block, weights), 0) for block in pairs.features()]
        probability = np.concatenate(likely) if likely else np.empty(0)
        kept = probability >= _UNLIKELY
        ends = (pairs.left[kept].astype(np.int32), pairs.right[kept].astype(np.int32))
        graph = Graph(len(rows), *ends, (1 - probability[kept]).astype(np.float32))
        return sparse_average_linkage(graph, cut)


def half_of_people(rows: Floats32, people: Labels, seed: int) -> Mask:
    """Every other person, those with many photos and those with few: bool [photo].

    Which ones follows from the contents of the photos, not from their order or from numbers of people.

    Args:
        rows: [photo, dimension].
        people: int [photo], the person on each photo.
        seed: The seed of the order of contents.
    """
    order = content_order(rows, seed)
    names, first, counts = np.unique(people[order], return_index=True, return_counts=True)
    turn = np.lexsort((first, -counts))
    return np.isin(people, names[turn[::2]])


PLUGIN = Pairwise
