"""What an attacker is tuned for: how a clustering of calibration people is judged."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bench.attack.calibration import Calibration
from bench.attack.corpus import Corpus
from bench.errors import UserError
from bench.metrics.clustering import bcubed, cluster_formation_rate
from bench.types import Labels, Mask, Score

KEPT = 0.9
"""A candidate's BCubed F over the crowd may fall to this share of the best candidate's."""

Objective = Callable[[Labels, Labels], float]
"""(guess, truth) of the photos with a face -> how good the guess is; larger is better."""


def crowd_f(guess: Labels, truth: Labels, calibration: Calibration) -> float:
    """BCubed F over the crowd; over all calibration people where there is no crowd.

    Args:
        guess: int [face], a cluster each; -1 means noise.
        truth: int [face], who is on each.
        calibration: Says who is counted; everybody else is the crowd.
    """
    crowd = ~np.isin(truth, calibration.known)
    return bcubed(truth, guess, of=crowd if crowd.any() else None).f.value


def formed(guess: Labels, truth: Labels, calibration: Calibration) -> Score:
    """CFR of the calibration people who are counted.

    Args:
        guess: int [face], a cluster each; -1 means noise.
        truth: int [face], who is on each.
        calibration: Says who is counted; photos of theirs without a face are in no cluster.
    """
    faceless = calibration.owners[~calibration.photos.has_face]
    labels = np.concatenate([guess, np.full(faceless.size, -1, np.int64)])
    return cluster_formation_rate(labels, np.concatenate([truth, faceless]), calibration.known)


def hindsight_rate(attacker: str, corpus: Corpus, has_face: Mask) -> Objective:
    """What an oracle maximises: the rate of an assignment of the photos with a face.

    It is the cluster-formation rate; where the attacker holds labelled photos of the users, CFR-link.
    """
    linked = corpus.linked if corpus.linked.any() else None
    people = corpus.owners[has_face]

    def rate(guess: Labels, truth: Labels) -> float:
        # the corpus says who is on a photo without a face, and what was released: so the order has to be its
        if not np.array_equal(truth, people):
            raise UserError(
                f"{attacker} judges its guesses in another order than that of the photos, and so has no "
                "level oracle. Leave --level oracle out, or correct the attacker (docs/add-an-attacker.md)."
            )
        labels = np.full(corpus.owners.size, -1, np.int64)
        labels[has_face] = guess
        score = cluster_formation_rate(
            labels, corpus.owners, corpus.users, released=corpus.released, linked=linked
        )
        return score.value

    return rate
