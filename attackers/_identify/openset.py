"""What all identifiers share: ranking people by a score, and rejecting probes of strangers."""

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
from .._parameters.attacker import Attacker
from .._parameters.choice import check_calibration
from .enrolled import Enrolled, Scorer, checked, enrolled, ranking

_FOLDS = 4
_last: dict[tuple[OpenSet, str], Scorer] = {}  # the score of the gallery that was learned last


@dataclass(frozen=True)
class OpenSet(Attacker, ABC):
    """An attacker that learns a score of people from a gallery, and may reject a probe.

    Attributes:
        open_set: Whether a probe is rejected (a row of -1) if no person's score is above the threshold.
        threshold: The score of the best person up to which a probe is rejected; None takes it from
            calibration identities, at the false accept rate `far`.
        far: The false accept rate: the share of the calibration probes of people outside the gallery that are
            given a name.
    """

    open_set: bool = False
    threshold: float | None = None
    far: float = 0.01

    @abstractmethod
    def fitted(self, gallery: Enrolled) -> Scorer:
        """Learn a gallery.

        The score of a probe must not depend on the other probes of the call.

        Raises:
            ValueError: before `calibrated` gave it the parameters that it needs.
        """

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        if not 0 < self.far < 1:
            raise UserError(f"{self.name}: far {self.far:g} is not a rate, 0 < far < 1. Try far=0.01.")
        if self.threshold is not None and not math.isfinite(self.threshold):
            raise UserError(
                f"{self.name}: threshold {self.threshold} is not finite. Leave it out to tune it."
            )
        if self.threshold is not None and not self._rejects():
            raise UserError(f"{self.name}: a threshold needs open_set=true. Add that, or drop threshold.")

    def calibrated(self, embeddings: Embeddings, people: Labels) -> Self:
        """A copy tuned on calibration identities; what was given stays.

        The hyper-parameters are those with the best rank-1 rate when every other photo of a person is a
        probe. The threshold lets a share `far` of the probes of strangers pass. For it, one quarter of the
        people after another is kept out of the gallery, and all photos of that quarter are probes.

        Args:
            embeddings: [photo, dimension].
            people: int [photo], the person on each photo.

        Raises:
            UserError: for parameters out of range, and for too few people or photos.
            ValueError: for embeddings that are zero or not finite.
        """
        self.check()
        tuned = self.tuned(embeddings, people)
        if not self._rejects() or self.threshold is not None:
            return tuned
        check_calibration(people, len(embeddings))
        return replace(tuned, threshold=tuned._threshold(enrolled(embeddings, people)))

    def tuned(self, embeddings: Embeddings, people: Labels) -> Self:
        """A copy with its hyper-parameters, but for the threshold; the attacker itself if it has none."""
        del embeddings, people
        return self

    def rank(self, probes: Embeddings, gallery: Gallery, top: int) -> Labels:
        """The `top` most likely people for each probe, best first.

        Ties go to the person with the lower number. With fewer than `top` people the rest of a row is -1. The
        row of a rejected probe is -1 throughout.

        Args:
            probes: [probe, dimension].
            gallery: The labelled photos.
            top: The number of people to name; at least 1.

        Returns:
            int64 [probe, top].

        Raises:
            UserError: for parameters out of range.
            ValueError: before `calibrated` gave it the parameters that it needs; for embeddings that are zero
                or not finite, dimensions that differ, an empty gallery, or top below 1.
        """
        self.check()
        threshold = self._reject_at()
        rows, enrolment = checked(probes, gallery, top)
        return ranking(_learned(self, enrolment), rows, enrolment.people, top, threshold)

    def _rejects(self) -> bool:
        """Whether the attacker needs a threshold."""
        return self.open_set

    def _reject_at(self) -> float | None:
        return self._stated_threshold() if self._rejects() else self.threshold

    def _stated_threshold(self) -> float:
        if self.threshold is None:
            raise ValueError(f"{self.name} has no threshold yet: calibrate it, or give one")
        return self.threshold

    def _threshold(self, everybody: Enrolled) -> float:
        """The score that at most a share `far` of the strangers' photos exceeds."""
        folds = min(_FOLDS, everybody.people.size)
        scores = np.concatenate([self._strangers(everybody, fold, folds) for fold in range(folds)])
        allowed = math.floor(self.far * scores.size + 1e-9)  # the slack keeps 1000 * .001 at one
        if not allowed:
            raise UserError(
                f"{self.name}: far {self.far:g} needs {math.ceil(1 / self.far)} photos of "
                f"calibration identities; this split has {scores.size}. Take a larger far, or fewer --users."
            )
        return float(np.sort(scores)[-allowed - 1])

    def _strangers(self, everybody: Enrolled, fold: int, folds: int) -> Floats32:
        """The best scores of the photos of some people against a gallery of the others."""
        outside = everybody.person % folds == fold
        people = np.arange(everybody.people.size) % folds != fold
        person = np.searchsorted(np.flatnonzero(people), everybody.person[~outside])
        scorer = self.fitted(Enrolled(everybody.rows[~outside], person, everybody.people[people]))
        probes = everybody.rows[outside]
        best = [scorer(probes[start : start + 512]).max(axis=1) for start in range(0, len(probes), 512)]
        return np.concatenate(best)


def _learned(attacker: OpenSet, gallery: Enrolled) -> Scorer:
    """The score that an attacker learns of a gallery; the last one is kept, for controls need it again."""
    arrays = (gallery.rows, gallery.person, gallery.people)
    content = hashlib.sha256(b"".join(array.tobytes() for array in arrays))
    key = attacker, content.hexdigest()
    if key not in _last:
        scorer = attacker.fitted(gallery)
        _last.clear()
        _last[key] = scorer
    return _last[key]
