"""Thresholds are tuned for what is counted: the largest CFR of calibration people, in a well-sorted crowd.

BCubed F alone, averaged over the photos of a crowd with two photos each, says little of people with ten. CFR
alone would join everybody's photos. So a candidate counts if its BCubed F over the crowd is at least `KEPT`
of the best candidate's. Among those the largest CFR wins; of equal ones, the larger BCubed F.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bench.attack.calibration import Calibration
from bench.attack.corpus import Corpus
from bench.errors import UserError
from bench.metrics.clustering import bcubed, cluster_formation_rate
from bench.plan.scenarios import role
from bench.types import Labels, Mask, Score

KEPT = 0.9
"""A candidate's BCubed F over the crowd may fall to this share of the best candidate's."""

Objective = Callable[[Labels, Labels], float]
"""(guess, truth) of the photos with a face -> how good the guess is; larger is better."""


@dataclass(frozen=True)
class Tuned:
    """An attacker with its thresholds frozen.

    Attributes:
        attacker: The plug-in.
        rates: CFR on calibration people of every candidate, in the attacker's order; for an oracle, on the
            users. Empty where nothing is tuned that way.
        crowd: BCubed F over the crowd of every candidate; empty for an oracle.
    """

    attacker: Any
    rates: list[float] = field(default_factory=list)
    crowd: list[float] = field(default_factory=list)


def tune(attacker: Any, calibration: Calibration) -> Tuned:
    """An attacker, its thresholds chosen on calibration people.

    A clusterer is asked twice: what a candidate's BCubed F is worth is known when all of them have one.

    Args:
        attacker: The plug-in.
        calibration: As the attacker's level has them.
    """
    known = calibration.embeddings, calibration.people
    if role(attacker) != "clusterer":
        return Tuned(attacker.calibrated(*known))
    crowd: list[float] = []
    rates: list[float] = []

    def sorts(guess: Labels, truth: Labels) -> float:
        crowd.append(crowd_f(guess, truth, calibration))
        return crowd[-1]

    tuned = attacker.calibrated(*known, sorts)
    if not crowd:
        return Tuned(tuned)
    least, most = KEPT * max(crowd), 2 * calibration.known.size + 1
    crowd = []

    def forms(guess: Labels, truth: Labels) -> float:
        sorted_well = crowd_f(guess, truth, calibration)
        rate = formed(guess, truth, calibration).value
        crowd.append(sorted_well)
        rates.append(rate)
        # whoever is below the bound is worse than whoever is not; a larger F never outweighs one more person
        return rate + sorted_well / most if sorted_well >= least else sorted_well - 2

    return Tuned(attacker.calibrated(*known, forms), rates, crowd)


def tune_in_hindsight(attacker: Any, name: str, calibration: Calibration, corpus: Corpus) -> Tuned:
    """An attacker with the best thresholds for the protected photos themselves: an upper bound.

    Args:
        attacker: The plug-in.
        name: What the attacker is called.
        calibration: The attacker's whole collection.
        corpus: Who is on it.
    """
    known = calibration.embeddings, calibration.people
    if role(attacker) != "clusterer":
        return Tuned(attacker.calibrated(*known))
    rates: list[float] = []
    rate = _hindsight(name, corpus, calibration.photos.has_face)

    def found(guess: Labels, truth: Labels) -> float:
        rates.append(rate(guess, truth))
        return rates[-1]

    return Tuned(getattr(attacker, "in_hindsight", attacker.calibrated)(*known, found), rates)


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


def _hindsight(attacker: str, corpus: Corpus, has_face: Mask) -> Objective:
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
