"""Immich's face recognition, with the parameters that it is shipped with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.types import PluginCard

from ._parameters.ranges import check_least
from ._presets.deployed import Numbers
from ._presets.families import IMMICH_FAMILIES
from ._presets.job_queue import JobQueue


@dataclass(frozen=True)
class Immich(JobQueue):
    """One face after another, as Immich's job queue does it; never tuned, whatever the encoder.

    A face with at least `min_faces` faces within `max_distance`, itself included, is a core. Immich asks its
    index for no more than `min_faces` neighbours, which is enough to know that. A core joins the nearest face
    that has a person already: the first such face among these neighbours, or else the answer to a second
    query, for one face with a person. A core without such a face becomes a new person. All other faces wait
    until the cores are assigned; then each joins the nearest face with a person, or stays noise. Two people
    who turn out to be one are never merged, so that the order of upload matters. Here the seed decides that
    order.

    Immich also leaves out people who were born after the photo was taken. No photo has a date here.

    Attributes:
        max_distance: The cosine distance up to which two faces are near each other.
        min_faces: The number of near faces, the face itself included, that make a face a core.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="face by face as in Immich: cosine distance .5, 3 faces; not tuned",
        source="preset of Immich, as of 2026: server/src/config.ts, server/src/services/person.service.ts",
    )
    numbers: ClassVar[Numbers] = {key: {"max_distance": 0.5} for key in IMMICH_FAMILIES}

    max_distance: float = 0.5
    min_faces: int = 3

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        check_least(self.name, "min_faces", self.min_faces, 1, 3)

    @property
    def runs(self) -> tuple[int, ...]:
        """See `JobQueue.runs`."""
        return (self.min_faces,)


PLUGIN = Immich
