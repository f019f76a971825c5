"""Whether an attacker recognises a cloak as one: a linear classifier that it trains on its own cloaks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bench.channels.protocol import Channel
from bench.errors import RefusedError
from bench.metrics.verification import threshold_at_far
from bench.photos.collection import Photos
from bench.photos.through_channel import through
from bench.recognition.trained import TrainingData
from bench.types import Floats, Mask

FAR = 1e-2
"""The share of clean photos of calibration people that is taken for cloaked."""

_PENALTY = 0.1  # the inverse of the weight of the squared norm
_ROUNDS = 2000


@dataclass(frozen=True)
class Detector:
    """A linear classifier of figures of photos.

    Attributes:
        mean: [figure], subtracted.
        spread: [figure], by which the rest is divided.
        weights: [figure], of a logistic regression.
    """

    mean: Floats
    spread: Floats
    weights: Floats

    @classmethod
    def trained(cls, clean: Floats, cloaked: Floats) -> Detector:
        """Learn to tell the two apart; the result does not depend on the number of threads.

        Args:
            clean: [photo, figure], of clean photos.
            cloaked: [photo, figure], of photos that the attacker cloaked.

        Raises:
            ValueError: There are no photos of one kind.
        """
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits

        if not len(clean) or not len(cloaked):
            raise ValueError("a detector of cloaks learns from clean and from cloaked photos")
        rows = np.concatenate([clean, cloaked])
        mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-6
        kinds = np.repeat([0, 1], [len(clean), len(cloaked)])
        with threadpool_limits(limits=1):
            model = LogisticRegression(C=_PENALTY, max_iter=_ROUNDS, class_weight="balanced")
            weights = model.fit((rows - mean) / spread, kinds).coef_[0]
        return cls(mean, spread, np.asarray(weights, np.float64))

    def score(self, figures: Floats) -> Floats:
        """How much each photo looks cloaked: [photo], larger is more."""
        # a sum in a fixed order, whatever the number of photos and of threads
        return np.asarray((((figures - self.mean) / self.spread) * self.weights).sum(axis=1))


Look = Callable[[Photos, str], Floats]
"""(photos, words for the progress line) -> their figures: [photo, figure]."""


@dataclass(frozen=True)
class Suspicion:
    """A detector of an attacker's own, and what it makes of clean photos that it did not learn from.

    Attributes:
        detector: The detector.
        of_clean: [photo], the scores of clean photos of people of whom it saw nothing.
    """

    detector: Detector
    of_clean: Floats

    @classmethod
    def learned(cls, lessons: TrainingData, platform: Channel, look: Look) -> Suspicion:
        """Learn from training people, clean and cloaked, after the same platform.

        Args:
            lessons: What to learn from; its `held_out` photos are scored.
            platform: What lies between release and attacker.
            look: The figures of photos.

        Raises:
            RefusedError: There are no clean photos, or no cloaked ones.
        """
        cloaks, cloaked_people = lessons.cloaks
        clean = look(through(lessons.clean, platform), "clean photos to learn from")
        learned = np.isin(lessons.people, cloaked_people)
        try:
            detector = Detector.trained(clean[learned], look(cloaks, "cloaks to learn from"))
        except ValueError as error:
            raise RefusedError(f"cloak detector: {error}. Try more --calibration people.") from error
        of_clean = detector.score(look(through(lessons.held_out, platform), "photos held out"))
        return cls(detector, of_clean)

    def of(self, figures: Floats) -> Mask:
        """Which photos it takes for cloaked: bool [photo], those that score above `threshold`."""
        suspected: Mask = self.detector.score(figures) > self.threshold
        return suspected

    @cached_property
    def threshold(self) -> float:
        """The score that the share `FAR` of `of_clean` exceeds.

        Raises:
            RefusedError: There are too few photos for so small a share.
        """
        threshold = threshold_at_far(self.of_clean, FAR) if self.of_clean.size else math.nan
        if math.isnan(threshold):
            raise RefusedError(
                f"cloak detector: a threshold that {FAR:.0%} of clean photos exceed takes {1 / FAR:.0f} that "
                f"it did not learn from, and there are {self.of_clean.size}. Try more --calibration people."
            )
        return threshold
