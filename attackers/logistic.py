"""Multinomial logistic regression: a softmax layer trained on the labelled photos."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from bench.errors import UserError
from bench.types import Embeddings, Labels, PluginCard

from ._embeddings.rows import Floats32
from ._identify.classifiers import softmax_loss, train
from ._identify.enrolled import Enrolled, Scorer, held_out
from ._identify.openset import OpenSet
from ._parameters.choice import best, check_calibration


@dataclass(frozen=True)
class Logistic(OpenSet):
    """Ranks people by their probability under a softmax of linear scores, without intercept.

    An intercept would learn who has many photos in the gallery. That says nothing about a probe.

    Attributes:
        c: The weight of the loss against the ridge, as in scikit-learn; None takes the best of `grid` on
            calibration identities.
        grid: The candidates for c.
        steps: The number of steps of L-BFGS, at most.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="multinomial logistic regression on the gallery; C tuned on calibration identities",
        source="Bishop, Pattern Recognition and Machine Learning, 2006, section 4.3.4; L2",
    )

    c: float | None = None
    grid: tuple[float, ...] = (1.0, 10.0, 100.0)
    steps: int = 50

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        if (self.c is not None and not 0 < self.c < np.inf) or not self.grid or min(self.grid) <= 0:
            raise UserError(f"{self.name}: c {self.c} must be above 0. Leave it out to tune it, or try c=10.")
        if self.steps < 1:
            raise UserError(f"{self.name}: steps {self.steps} is below 1. Try steps=50.")

    def tuned(self, embeddings: Embeddings, people: Labels) -> Self:
        """A copy with the c of `grid` that names most held-out photos."""
        if self.c is not None:
            return self
        check_calibration(people, len(embeddings))
        split = held_out(embeddings, people)
        c = best(self.grid, lambda c: split.rank_one(replace(self, c=c).fitted(split.gallery)))
        return replace(self, c=c)

    def fitted(self, gallery: Enrolled) -> Scorer:
        """The log-probability of each person, 0 or less."""
        if self.c is None:
            raise ValueError(f"{self.name} is not tuned yet: calibrate it, or give c")
        people = gallery.people.size
        weights = train(gallery.rows, gallery.person, people, self.c, softmax_loss, 1 / people, self.steps)

        def score(probes: Floats32) -> Floats32:
            scores = probes @ weights
            scores -= scores.max(axis=1, keepdims=True)
            scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
            return scores

        return score


PLUGIN = Logistic
