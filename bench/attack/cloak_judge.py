"""How well a detector of cloaks tells users' published photos from clean ones."""

from __future__ import annotations

import numpy as np

from bench.metrics.verification import tar_at_far
from bench.recognition.cloak_detector import FAR
from bench.types import Floats, Labels, Score
from bench.uncertainty.intervals import wilson


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
