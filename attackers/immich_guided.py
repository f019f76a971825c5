"""Immich as its guide to better clusters advises: dense groups first, in three runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.errors import UserError
from bench.types import Embeddings, Ints, Labels, PluginCard

from ._cluster.untuned import Untuned
from ._embeddings.order import in_content_order
from ._embeddings.rows import Floats32
from ._graph.incremental import recognised_labels
from ._graph.neighbours import neighbour_graph
from ._graph.searching import Searching
from ._parameters.ranges import check_distance, check_least
from ._presets.deployed import Deployed, Numbers
from ._presets.families import IMMICH_FAMILIES


@dataclass(frozen=True)
class ImmichGuided(Deployed, Untuned, Searching):
    """Immich's recognition, run three times with fewer and fewer faces that make a core; never tuned.

    The first run is a reset: nobody has a person. The second and the third look at faces without a person
    only ("missing"). People are never merged. So the largest groups become people before anybody between them
    could join two.

    Attributes:
        max_distance: The cosine distance up to which two faces are near each other.
        first: The number of near faces, the face itself included, that make a core in the first run.
        second: The same in the second run.
        last: The same in the last run.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="Immich in three runs: cosine distance .4, 20, 10 and 3 faces; not tuned",
        source="preset of Immich, as of 2026: docs/guides/better-facial-clusters.md (100,000 photos)",
    )
    numbers: ClassVar[Numbers] = {key: {"max_distance": 0.4} for key in IMMICH_FAMILIES}

    max_distance: float = 0.4
    first: int = 20
    second: int = 10
    last: int = 3

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        check_distance(self.name, "max_distance", self.max_distance, (self.max_distance,))
        check_least(self.name, "last", self.last, 1, 3)
        if not self.first >= self.second >= self.last:
            raise UserError(
                f"{self.name}: first {self.first}, second {self.second} and last {self.last} must not "
                "increase. Leave them out for 20, 10 and 3."
            )

    def cluster(self, embeddings: Embeddings) -> Labels:
        """See `Immich.cluster`."""
        self.check()
        runs = [self.first, self.second, self.last]

        def labels(rows: Floats32) -> Ints:
            return recognised_labels(neighbour_graph(rows, self.max_distance, self), runs)

        return in_content_order(embeddings, self.seed, labels)


PLUGIN = ImmichGuided
