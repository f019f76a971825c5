"""Whether an attacker recognises a cloak as one: a linear classifier that it trains on its own cloaks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.metrics.verification import tar_at_far
from bench.types import Labels, Score
from bench.uncertainty.intervals import wilson

Floats = npt.NDArray[np.float64]

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


def judge_detector(released: Floats, clean: Floats, users: Labels, calibration: Floats) -> dict[str, Score]:
    """How well cloaks of users are recognised, with users as units.

    Args:
        released: [photo], scores of the users' published photos.
        clean: [photo], scores of the same photos as they were, after the same platform.
        users: int [photo], who is on each.
        calibration: [photo], scores of clean photos of calibration people; the threshold comes from them.

    Returns:
        `cloak_auc`: how often a user's published photo scores above a clean photo of any user, ties half;
        `cloak_tpr_far_1e2`: the share of a user's published photos above the threshold that 1 % of the
        calibration people's clean photos exceed; `cloak_fpr_far_1e2`: the same of the user's clean photos.
        The last two are NaN with fewer than 100 clean photos of calibration people, and absent with none.
    """
    ordered = np.sort(clean)
    above = np.searchsorted(ordered, released, "left") + np.searchsorted(ordered, released, "right")
    person = np.unique(users, return_inverse=True)[1]
    each = np.bincount(person, weights=above / (2 * ordered.size)) / np.bincount(person)
    value = float(each.mean())
    rates = {
        name: tar_at_far(scores, calibration, FAR, people=users, name=name)
        for name, scores in (("cloak_tpr_far_1e2", released), ("cloak_fpr_far_1e2", clean))
        if calibration.size
    }
    return {
        "cloak_auc": Score("cloak_auc", value, *wilson(value * each.size, each.size), each.size, "lower"),
        **rates,
    }
