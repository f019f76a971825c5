"""Libraries that name a photo by the nearest photo of a gallery, up to a fixed distance."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self

import numpy as np

from bench.errors import UserError
from bench.types import Embeddings, Gallery, Labels

from .._embeddings.rows import block_rows
from .._identify.enrolled import checked, named
from .._identify.nearest_photos import mean_of_nearest
from .deployed import Deployed


@dataclass(frozen=True)
class Accepting(Deployed, ABC):
    """People by their nearest photo, as far as that is accepted; never tuned.

    Attributes:
        distance: The distance up to which a photo is accepted as one of a person's, in the library's own
            measure; None is the library's for the encoder's family.
    """

    distance: float | None = None

    @property
    @abstractmethod
    def cosine(self) -> float:
        """The cosine from which a photo is accepted."""

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        distance = self.number("distance")
        if not 0 < distance <= 2:
            raise UserError(
                f"{self.name}: distance {distance:g} must be above 0 and at most 2. Leave it out."
            )

    def calibrated(self, embeddings: Embeddings, people: Labels) -> Self:
        """The attacker itself: nothing is tuned."""
        del embeddings, people
        return self

    def rank(self, probes: Embeddings, gallery: Gallery, top: int) -> Labels:
        """The people whose nearest photo is accepted, at most `top`, the nearest first.

        Ties go to the person with the lower number. The rest of a row is -1; so is all of it where nobody is
        accepted.

        Returns:
            int64 [probe, top].

        Raises:
            UserError: for parameters out of range.
            ValueError: as in `OpenSet.rank`.
        """
        self.check()
        rows, enrolment = checked(probes, gallery, top)
        likeness = mean_of_nearest(enrolment, 1)
        ranked = np.full((len(rows), top), -1, np.int64)
        step = block_rows(enrolment.people.size)
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            scores = likeness(rows[part])
            accepted = (scores >= self.cosine).sum(axis=1, keepdims=True)
            nearest_first = named(scores, enrolment.people, top, None)
            ranked[part] = np.where(np.arange(top) < accepted, nearest_first, -1)
        return ranked
