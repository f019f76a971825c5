"""Immich as its guide to better clusters advises: dense groups first, in three runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.errors import UserError
from bench.types import PluginCard

from ._parameters.ranges import check_least
from ._presets.deployed import Numbers
from ._presets.families import IMMICH_FAMILIES
from ._presets.job_queue import JobQueue


@dataclass(frozen=True)
class ImmichGuided(JobQueue):
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
        check_least(self.name, "last", self.last, 1, 3)
        if not self.first >= self.second >= self.last:
            raise UserError(
                f"{self.name}: first {self.first}, second {self.second} and last {self.last} must not "
                "increase. Leave them out for 20, 10 and 3."
            )

    @property
    def runs(self) -> tuple[int, ...]:
        """See `JobQueue.runs`."""
        return (self.first, self.second, self.last)


PLUGIN = ImmichGuided
