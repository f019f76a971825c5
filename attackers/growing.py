"""The growing gallery: an attacker who adds what it recognised to its gallery, mistakes included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bench.types import Embeddings, Gallery, Ints, Labels, PluginCard

from ._embeddings.rows import Floats32, block_rows
from ._identify.enrolled import Enrolled, Scorer, checked, named
from ._identify.nearest_photos import mean_of_nearest
from ._identify.openset import OpenSet
from ._parameters.ranges import check_least


@dataclass(frozen=True)
class Growing(OpenSet):
    """Ranks people by their most similar photo in a gallery that grows by the probes recognised so far.

    In a round every probe that is not yet in the gallery and is above the threshold is added, under the name
    of its most similar person, right or wrong; then all other probes are compared with the added ones. A
    probe that is unlike all of the gallery's own photos may still be like a probe that was recognised before
    it. In the end every probe is ranked against the grown gallery without its own copy.

    This is the one attacker whose answer to a probe depends on the other probes. It does not depend on their
    order: a round looks at the gallery as the round before left it.

    The threshold is the cosine above which a probe is added, and it is calibrated with a gallery that does
    not grow. With `open_set` it also rejects probes in the end; without, every probe is given a name.

    Attributes:
        rounds: The number of rounds of additions, at most. It stops after a round that added no probe.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="nearest photo in a gallery that grows by what was recognised, mistakes included",
        source="self-training: Yarowsky, ACL 1995; template update: Rattani et al., BTAS 2009",
    )

    rounds: int = 10

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        check_least(self.name, "rounds", self.rounds, 0, 10)

    def fitted(self, gallery: Enrolled) -> Scorer:
        """The cosine of the nearest photo of each person, in a gallery that does not grow."""
        return mean_of_nearest(gallery, 1)

    def rank(self, probes: Embeddings, gallery: Gallery, top: int) -> Labels:
        """See `OpenSet.rank`; memory holds a score for every probe and person."""
        self.check()
        threshold = self._stated_threshold()
        rows, enrolment = checked(probes, gallery, top)
        if not len(rows):
            return np.full((0, top), -1, np.int64)
        scores = np.asarray(self.fitted(enrolment)(rows), np.float32)
        added = np.zeros(len(rows), np.bool_)
        for _ in range(self.rounds):
            new = np.flatnonzero(~added & (scores.max(axis=1) > threshold))
            if not new.size:
                break
            _enrol(scores, rows, new, scores[new].argmax(axis=1))
            added[new] = True
        return named(scores, enrolment.people, top, threshold if self.open_set else None)

    def _rejects(self) -> bool:
        return True


def _enrol(scores: Floats32, rows: Floats32, new: Ints, names: Ints) -> None:
    """Raise the scores of all probes by the photos that are new in the gallery, each photo's own aside."""
    step = block_rows(len(rows))
    for start in range(0, new.size, step):
        photos, people = new[start : start + step], names[start : start + step]
        alike = rows @ rows[photos].T
        alike[photos, np.arange(photos.size)] = -np.inf
        for person in np.unique(people):
            nearest = alike[:, people == person].max(axis=1)
            np.maximum(scores[:, person], nearest, out=scores[:, person])


PLUGIN = Growing
