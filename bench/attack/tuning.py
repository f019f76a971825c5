"""Thresholds are tuned for what is counted: the largest CFR of calibration people, in a well-sorted crowd.

BCubed F alone, averaged over the photos of a crowd with two photos each, says little of people with ten. CFR
alone would join everybody's photos. So a candidate counts if its BCubed F over the crowd is at least `KEPT`
of the best candidate's. Among those the largest CFR wins; of equal ones, the larger BCubed F.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bench.attack.calibration import Calibration
from bench.attack.corpus import Corpus
from bench.attack.objective import KEPT, Objective, crowd_f, formed, hindsight_rate
from bench.attack.second_step import SecondStep, all_candidates, tuned_second_step
from bench.plan.scenarios import role
from bench.types import Labels


@dataclass(frozen=True)
class Tuned:
    """An attacker with its thresholds frozen.

    Attributes:
        attacker: The plug-in.
        rates: CFR on calibration people of every candidate, in the attacker's order; for an oracle, on the
            users. Empty where nothing is tuned that way.
        crowd: BCubed F over the crowd of every candidate; empty for an oracle.
        second_step: What is done to its clusters afterwards, tuned after it; None for nothing.
    """

    attacker: Any
    rates: list[float] = field(default_factory=list)
    crowd: list[float] = field(default_factory=list)
    second_step: SecondStep | None = None


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


def tune_in_hindsight(
    attacker: Any, name: str, calibration: Calibration, corpus: Corpus, *, second_step: bool = False
) -> Tuned:
    """An attacker with the best thresholds for the protected photos themselves: an upper bound.

    Args:
        attacker: The plug-in.
        name: What the attacker is called.
        calibration: The attacker's whole collection.
        corpus: Who is on it.
        second_step: Whether a second step follows: then a candidate is worth what the best one makes of it.
    """
    known = calibration.embeddings, calibration.people
    if role(attacker) != "clusterer":
        return Tuned(attacker.calibrated(*known))
    rates: list[float] = []
    rate = hindsight_rate(name, corpus, calibration.photos.has_face)

    def found(guess: Labels, truth: Labels) -> float:
        followed = all_candidates(calibration.embeddings, guess) if second_step else [guess]
        rates.append(max(rate(one, truth) for one in followed))
        return rates[-1]

    return Tuned(getattr(attacker, "in_hindsight", attacker.calibrated)(*known, found), rates)


def with_second_step(tuned: Tuned, calibration: Calibration, in_hindsight: Objective | None = None) -> Tuned:
    """The same attacker, its thresholds as they are, and a second step that is tuned after it.

    Args:
        tuned: The attacker, a clusterer.
        calibration: The people whom it was tuned on.
        in_hindsight: What an oracle maximises, of a clustering; None for any other level.
    """
    attacker, people = tuned.attacker, calibration.people
    if attacker.card.oracle:
        attacker = attacker.informed(int(np.unique(people).size))
    rows = calibration.embeddings
    labels = attacker.cluster(rows)
    if in_hindsight:
        return replace(tuned, second_step=tuned_second_step(rows, people, labels, in_hindsight))
    step = tuned_second_step(
        rows,
        people,
        labels,
        lambda guess, truth: formed(guess, truth, calibration).value,
        lambda guess, truth: crowd_f(guess, truth, calibration),
    )
    return replace(tuned, second_step=step)
