"""What all identification attackers share: ranking people by a score, and rejecting probes of strangers."""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from bench.errors import UserError
from bench.types import Embeddings, Gallery, Labels

from .._embeddings.rows import Floats32
from .._parameters.choice import check_calibration
from .enrolled import Enrolled, Scorer, asked, enrolled, ranking

_FOLDS = 4
_last: dict[tuple[OpenSet, str], Scorer] = {}  # of the gallery that was learned last


@dataclass(frozen=True)
class OpenSet(ABC):
    """An attacker that learns a score of people from a gallery, and may reject a probe.

    Attributes:
        open_set: name nobody (a row of -1) where no person's score is above the threshold.
        threshold: None takes it from calibration identities, at the false accept rate `far`.
        far: share of calibration probes of people who are not in the gallery that are named all the same.
    """

    open_set: bool = False
    threshold: float | None = None
    far: float = 0.01

    @abstractmethod
    def fitted(self, held: Enrolled) -> Scorer:
        """Learn a gallery.

        The score of one probe must not depend on the others that are asked about with it.

        Raises:
            ValueError: before `calibrated` gave it the parameters that it needs.
        """

    def check(self) -> None:
        """See `bench.protocols.Clusterer`."""
        name = type(self).__name__.lower()
        if not 0 < self.far < 1:
            raise UserError(f"{name}: far {self.far:g} is not a rate, 0 < far < 1. Try far=0.01.")
        if self.threshold is not None and not math.isfinite(self.threshold):
            raise UserError(f"{name}: threshold {self.threshold} is not finite. Leave it out to tune it.")
        if self.threshold is not None and not self._rejects():
            raise UserError(f"{name}: a threshold needs open_set=true. Add that, or drop threshold.")

    def calibrated(self, embeddings: Embeddings, people: Labels) -> Self:
        """A copy tuned on calibration identities; what was given stays.

        Hyper-parameters are those with the best rank-1 rate when every other photo of a person is a probe.
        The threshold lets `far` of the probes of strangers pass: a quarter of the people after another is
        kept out of the gallery, and all their photos are probes.

        Args:
            embeddings: [photo, dimension].
            people: int [photo], who is on each.

        Raises:
            UserError: for parameters out of range, and for fewer people or photos than that needs.
            ValueError: for embeddings that are zero or not finite.
        """
        self.check()
        tuned = self.tuned(embeddings, people)
        if not self._rejects() or self.threshold is not None:
            return tuned
        check_calibration(people, len(embeddings))
        return replace(tuned, threshold=tuned._threshold(enrolled(embeddings, people)))

    def tuned(self, embeddings: Embeddings, people: Labels) -> Self:
        """A copy with its hyper-parameters, but for the threshold; itself where there are none."""
        del embeddings, people
        return self

    def rank(self, probes: Embeddings, gallery: Gallery, top: int) -> Labels:
        """The `top` most likely people for each probe, best first.

        Ties go to the person with the lower number. With fewer than `top` people the rest of a row is -1; a
        row of a rejected probe is -1 throughout.

        Args:
            probes: [probe, dimension].
            gallery: labelled photos.
            top: how many people to name; at least 1.

        Returns:
            int64 [probe, top].

        Raises:
            UserError: for parameters out of range.
            ValueError: before `calibrated` gave it what it needs; for embeddings that are zero or not finite,
                dimensions that differ, an empty gallery, or top below 1.
        """
        self.check()
        threshold = self._reject_at()
        rows, held = asked(probes, gallery, top)
        return ranking(_learned(self, held), rows, held.people, top, threshold)

    def _rejects(self) -> bool:
        """Whether it needs a threshold."""
        return self.open_set

    def _reject_at(self) -> float | None:
        if self._rejects() and self.threshold is None:
            name = type(self).__name__.lower()
            raise ValueError(f"{name} has no threshold yet: calibrate it, or give one")
        return self.threshold

    def _threshold(self, everybody: Enrolled) -> float:
        """The score that a share `far` of strangers exceeds, at most."""
        folds = min(_FOLDS, everybody.people.size)
        scores = np.concatenate([self._strangers(everybody, fold, folds) for fold in range(folds)])
        allowed = math.floor(self.far * scores.size + 1e-9)  # the slack keeps 1000 * .001 at one
        if not allowed:
            raise UserError(
                f"{type(self).__name__.lower()}: far {self.far:g} needs {math.ceil(1 / self.far)} photos of "
                f"calibration identities; this split has {scores.size}. Take a larger far, or fewer --users."
            )
        return float(np.sort(scores)[-allowed - 1])

    def _strangers(self, everybody: Enrolled, fold: int, folds: int) -> Floats32:
        """The best scores of the photos of some people against a gallery of the others."""
        out = everybody.person % folds == fold
        people = np.arange(everybody.people.size) % folds != fold
        inside = everybody.person[~out]
        person = np.searchsorted(np.flatnonzero(people), inside)
        scorer = self.fitted(Enrolled(everybody.rows[~out], person, everybody.people[people]))
        probes = everybody.rows[out]
        best = [scorer(probes[start : start + 512]).max(axis=1) for start in range(0, len(probes), 512)]
        return np.concatenate(best)


def _learned(attacker: OpenSet, held: Enrolled) -> Scorer:
    """What an attacker makes of a gallery; the last one is kept, for controls ask about the same people."""
    content = hashlib.sha256(b"".join(part.tobytes() for part in (held.rows, held.person, held.people)))
    key = attacker, content.hexdigest()
    if key not in _last:
        scorer = attacker.fitted(held)
        _last.clear()
        _last[key] = scorer
    return _last[key]
