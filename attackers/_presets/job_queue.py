"""Immich's job queue, in one run or several."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from bench.types import Ints

from .._embeddings.rows import Floats32
from .._graph.incremental import recognised_labels
from .._graph.neighbours import neighbour_graph
from .._parameters.ranges import check_distance
from .sorting import Sorting


@dataclass(frozen=True)
class JobQueue(Sorting, ABC):
    """Faces within a distance of each other are recognised one after another; see `recognised_labels`.

    Attributes:
        max_distance: The cosine distance up to which two faces are near each other.
    """

    max_distance: float

    @property
    @abstractmethod
    def runs(self) -> tuple[int, ...]:
        """For each run, the number of near faces, the face itself included, that make a face a core."""

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        check_distance(self.name, "max_distance", self.max_distance, (self.max_distance,))

    def labels(self, rows: Floats32) -> Ints:
        """See `Sorting.labels`."""
        return recognised_labels(neighbour_graph(rows, self.max_distance, self), self.runs)
