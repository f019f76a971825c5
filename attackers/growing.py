"""The growing gallery: an attacker who adds what it recognised to its gallery, mistakes included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bench.types import Embeddings, Gallery, Ints, Labels, PluginCard

from ._embeddings.rows import Floats32, block_rows
from ._identify.enrolled import Enrolled, Scorer, asked, named
from ._identify.nearest_photos import mean_of_nearest
from ._identify.openset import OpenSet
from ._parameters.choice import check_least


@dataclass(frozen=True)
class Growing(OpenSet):
    """Ranks people by their most similar photo in a gallery that grows by the probes recognised so far.

    In a round every probe that is not yet in the gallery and is above the threshold is added, under the name
    of its most similar person, right or wrong; then all others are compared with what was added. A photo that
    shows nothing of the gallery's own photos may still be like a photo that was recognised before it. In the
    end every probe is ranked against the grown gallery, its own copy there left out.

    The one attacker whose answer to a probe depends on the other probes. It does not depend on their order:
    a round looks at the gallery as the round before left it.

    Attributes:
        open_set: reject probes that are like nobody in the end; otherwise the threshold decides who is added,
            and everybody is named.
        threshold: cosine above which a probe is added; None takes it from calibration identities.
        far: false accept rate that the threshold is calibrated at, with a gallery that does not grow.
        rounds: of additions, at most; it ends earlier where nothing was added.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="nearest photo in a gallery that grows by what was recognised, mistakes included",
        source="self-training: Yarowsky, ACL 1995; template update: Rattani et al., BTAS 2009",
    )

    rounds: int = 10

    def check(self) -> None:
        """See `bench.protocols.Clusterer`."""
        super().check()
        check_least("growing", "rounds", self.rounds, 0, 10)

    def fitted(self, held: Enrolled) -> Scorer:
        """Cosine of the nearest photo of each person, in a gallery that does not grow."""
        return mean_of_nearest(held, 1)

    def rank(self, probes: Embeddings, gallery: Gallery, top: int) -> Labels:
        """See `OpenSet.rank`; memory is a score for every probe and person."""
        self.check()
        threshold = self._reject_at()
        rows, held = asked(probes, gallery, top)
        if not len(rows):
            return np.full((0, top), -1, np.int64)
        scores = np.asarray(self.fitted(held)(rows), np.float32)
        added = np.zeros(len(rows), np.bool_)
        for _ in range(self.rounds):
            new = np.flatnonzero(~added & (scores.max(axis=1) > threshold))
            if not new.size:
                break
            _enrol(scores, rows, new, scores[new].argmax(axis=1))
            added[new] = True
        return named(scores, held.people, top, threshold if self.open_set else None)

    def _rejects(self) -> bool:
        return True


def _enrol(scores: Floats32, rows: Floats32, new: Ints, names: Ints) -> None:
    """Raise the scores of all probes by photos that are now in the gallery, of each by all but itself."""
    step = block_rows(len(rows))
    for start in range(0, new.size, step):
        photos, people = new[start : start + step], names[start : start + step]
        alike = rows @ rows[photos].T
        alike[photos, np.arange(photos.size)] = -np.inf
        for person in np.unique(people):
            theirs = alike[:, people == person].max(axis=1)
            np.maximum(scores[:, person], theirs, out=scores[:, person])


PLUGIN = Growing
