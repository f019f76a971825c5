"""Verification over folds of different people. Each fold is judged by a threshold chosen on the other folds.

The intervals know that pairs share people: see `interval`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from bench.metrics.verification import RATES, auc, eer, threshold_at_far
from bench.types import Floats, Labels, Score
from bench.uncertainty.intervals import wilson

REFUSED = -2.0
"""The score of a pair in which a photo has no face. It is below every cosine, so no threshold accepts it."""

_BEYOND = 2.0  # above every cosine
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scored:
    """Pairs with their similarity. All arrays have one entry a pair.

    Attributes:
        scores: float64 [pair], the cosine, or `REFUSED`.
        same: bool [pair], whether one person is on both photos.
        folds: int64 [pair], the fold; no person is in two folds.
        first: int64 [pair], the person on one photo.
        second: int64 [pair], the person on the other photo.
    """

    scores: Floats
    same: Mask
    folds: Labels
    first: Labels
    second: Labels


@dataclass(frozen=True, slots=True)
class Verified:
    """The figures that an encoder achieved.

    Attributes:
        scores: The figures by name: accuracy, auc, auc_detected, eer, and tar_far_ and far_ of each of
            `RATES`. `n` counts pairs. The bounds are the figure if all pairs without a face had gone right,
            and if all had gone wrong.
        standard_error: The standard error of the mean of the folds' accuracies.
        fold_accuracy: The accuracy of each fold, in [0, 1].
        thresholds: The threshold by which each fold was judged, by name of the figure.
    """

    scores: dict[str, Score]
    standard_error: float
    fold_accuracy: tuple[float, ...]
    thresholds: dict[str, tuple[float, ...]]


def verified(pairs: Scored, impostor: npt.ArrayLike, impostor_folds: npt.ArrayLike) -> Verified:
    """Compute the figures of one encoder.

    Accuracy is the mean over folds, as the LFW report defines it (Huang et al. 2007): the decision threshold
    comes from the other folds. AUC and EER need no threshold and use all pairs; `auc_detected` uses the pairs
    with a face in both photos. TAR is the share of genuine pairs above the threshold at which the other
    folds' calibration impostors are accepted at the stated rate. `far_` is the share of the fold's own
    impostor pairs above that threshold: the false accept rate on people whom the threshold never saw.

    Args:
        pairs: The pairs that are judged: at least two folds, each with genuine and impostor pairs.
        impostor: float [c], the scores of further impostor pairs, for calibration.
        impostor_folds: int [c], the fold of each of these pairs.

    Raises:
        ValueError: There are fewer than two folds, or a fold has no genuine, impostor or calibration pairs.
    """
    others, where = np.asarray(impostor, np.float64), np.asarray(impostor_folds, np.int64)
    names = np.unique(pairs.folds)
    if names.size < 2:
        raise ValueError("verification needs at least two folds")
    for kind, held in (
        ("genuine", pairs.folds[pairs.same]),
        ("impostor", pairs.folds[~pairs.same]),
        ("calibration", where),
    ):
        if np.setdiff1d(names, held).size:
            raise ValueError(f"every fold needs {kind} pairs")
    folds = [pairs.folds == name for name in names]
    thresholds = {"accuracy": [best_threshold(pairs.scores[~f], pairs.same[~f]) for f in folds]}
    for label, rate in RATES.items():
        thresholds[f"tar_far_{label}"] = [threshold_at_far(others[where != name], rate) for name in names]
    figures = _figures(pairs, folds, thresholds)
    blind = pairs.scores == REFUSED
    if blind.any():
        # the same figures had every pair without a face gone right, and had every one gone wrong
        right = np.where(pairs.same, _BEYOND, -_BEYOND)
        ends = [
            _figures(replace(pairs, scores=np.where(blind, scores, pairs.scores)), folds, thresholds)
            for scores in (right, -right)
        ]
        figures = {
            name: replace(score, bounds=_span(*(end[name].value for end in ends)))
            for name, score in figures.items()
        }
    figures["auc_detected"] = _area_where(~blind, pairs)
    accepted = _accepted(pairs.scores, folds, thresholds["accuracy"])
    by_fold = np.array([(accepted == pairs.same)[f].mean() for f in folds])
    return Verified(
        figures,
        float(by_fold.std(ddof=1) / math.sqrt(by_fold.size)),
        tuple(by_fold.tolist()),
        {name: tuple(values) for name, values in thresholds.items()},
    )


def _figures(pairs: Scored, folds: list[Mask], thresholds: dict[str, list[float]]) -> dict[str, Score]:
    """Compute every figure at given thresholds."""
    accepted = {name: _accepted(pairs.scores, folds, values) for name, values in thresholds.items()}
    right = accepted["accuracy"] == pairs.same
    mean = float(np.mean([right[f].mean() for f in folds]))
    scores = [
        _share("accuracy", right, np.ones_like(right), pairs, "lower", value=mean),
        _area(pairs),
        _equal_errors(pairs),
    ]
    for label in RATES:
        above = accepted[f"tar_far_{label}"]
        pair = (
            _share(f"tar_far_{label}", above, pairs.same, pairs, "lower"),
            _share(f"far_{label}", above, ~pairs.same, pairs, "higher"),
        )
        if any(map(math.isnan, thresholds[f"tar_far_{label}"])):
            scores += [replace(score, value=math.nan, low=math.nan, high=math.nan) for score in pair]
        else:
            scores += pair
    return {score.name: score for score in scores}


def _span(first: float, second: float) -> tuple[float, float] | None:
    return None if math.isnan(first) else (min(first, second), max(first, second))


def best_threshold(scores: npt.ArrayLike, same: npt.ArrayLike) -> float:
    """The threshold with the fewest wrong decisions: the middle of the lowest gap that has as few.

    The threshold is never so low that it accepts a pair without a face.

    Args:
        scores: float [pair], the cosine, or `REFUSED`.
        same: bool [pair], whether one person is on both photos.

    Raises:
        ValueError: There are no pairs.
    """
    similarities, truth = np.asarray(scores, np.float64), np.asarray(same, np.bool_)
    if similarities.size == 0:
        raise ValueError("no pairs to choose a threshold on")
    values, at = np.unique(similarities, return_inverse=True)
    genuine = np.bincount(at[truth], minlength=values.size)
    impostor = np.bincount(at[~truth], minlength=values.size)
    # wrong after accepting only what is above value i: genuine pairs up to it, impostor pairs beyond it
    wrong = np.cumsum(genuine) + impostor.sum() - np.cumsum(impostor)
    best = int(np.argmin(wrong))
    if values[0] > REFUSED and impostor.sum() <= wrong[best]:
        return float(np.nextafter(values[0], -math.inf))  # accepting everything is as good
    return float(values[best] if best + 1 == values.size else (values[best] + values[best + 1]) / 2)


def interval(value: float, influence: Floats, first: Labels, second: Labels) -> tuple[float, float]:
    """95 % interval of a rate over pairs of which some share people.

    The variance is that of Aronow, Samii and Assenova 2015 for dyads: the sum of products of the influences
    of any two pairs with a person in common, a pair with itself included. An effective number of pairs
    follows: the number of independent pairs that would have the same variance, at most as many as there are.
    This number goes into Wilson's interval, so that a rate of 0 or 1 keeps an interval (Korn and Graubard
    1998 for surveys). Where the variance says nothing, the effective number is the number of people.

    Args:
        value: The rate, in [0, 1].
        influence: float [pair], how much each pair moves the rate; the sum is 0.
        first: int [pair], the person on one photo.
        second: int [pair], the person on the other photo; the same where the pair is genuine.
    """
    low, high = np.minimum(first, second), np.maximum(first, second)
    people = np.unique(np.concatenate([first, second]))
    dyads, at = np.unique(np.column_stack([low, high]), axis=0, return_inverse=True)
    sums = np.bincount(at.ravel(), weights=influence)
    two = dyads[:, 0] != dyads[:, 1]
    by_person = np.bincount(np.searchsorted(people, dyads[:, 0]), weights=sums, minlength=people.size)
    by_person += np.bincount(np.searchsorted(people, dyads[two, 1]), weights=sums[two], minlength=people.size)
    # a dyad of two people is counted with each of them, and once too often with itself
    variance = float((by_person**2).sum() - (sums[two] ** 2).sum())
    spread = value * (1 - value)
    n = min(influence.size, int(spread / variance)) if variance > 0 and spread > 0 else people.size
    return wilson(value * max(n, 1), max(n, 1))


def _accepted(scores: Floats, folds: list[Mask], thresholds: list[float]) -> Mask:
    by_pair = np.empty_like(scores)
    for fold, threshold in zip(folds, thresholds, strict=True):
        by_pair[fold] = threshold
    above: Mask = scores > by_pair
    return above


def _share(
    name: str,
    hit: Mask,
    of: Mask,
    pairs: Scored,
    better: Literal["lower", "higher"],
    value: float | None = None,
) -> Score:
    """The share of hits among some pairs."""
    mean = float(hit[of].mean())
    low, high = interval(mean, (hit[of] - mean) / of.sum(), pairs.first[of], pairs.second[of])
    rate = mean if value is None else value
    return Score(name, rate, min(low, rate), max(high, rate), int(of.sum()), better)


def _area(pairs: Scored) -> Score:
    """AUC with DeLong's influences: how often a pair is on the right side of pairs of the other kind."""
    genuine, impostor = pairs.scores[pairs.same], pairs.scores[~pairs.same]
    value = auc(genuine, impostor).value
    won = np.empty_like(pairs.scores)
    won[pairs.same] = _below(impostor, genuine)
    won[~pairs.same] = 1 - _below(genuine, impostor)
    influence = (won - value) / np.where(pairs.same, genuine.size, impostor.size)
    return Score("auc", value, *interval(value, influence, pairs.first, pairs.second), won.size, "lower")


def _area_where(kept: Mask, pairs: Scored) -> Score:
    """AUC of some pairs: what the encoder can do, whatever the detector missed."""
    part = Scored(
        pairs.scores[kept], pairs.same[kept], pairs.folds[kept], pairs.first[kept], pairs.second[kept]
    )
    if part.same.all() or not part.same.any():
        return Score("auc_detected", math.nan, math.nan, math.nan, int(kept.sum()), "lower")
    return replace(_area(part), name="auc_detected")


def _below(values: Floats, points: Floats) -> Floats:
    """The share of values below each point; ties count half."""
    ordered = np.sort(values)
    below = np.searchsorted(ordered, points, side="left") + np.searchsorted(ordered, points, side="right")
    return below / (2 * ordered.size)


def _equal_errors(pairs: Scored) -> Score:
    """EER. Its interval is that of the mean of both error rates at the threshold where they are equal."""
    genuine, impostor = pairs.scores[pairs.same], pairs.scores[~pairs.same]
    value = eer(genuine, impostor).value
    threshold = float(np.quantile(genuine, value, method="inverted_cdf")) if value else -math.inf
    wrong = np.where(pairs.same, pairs.scores <= threshold, pairs.scores > threshold)
    influence = np.empty_like(pairs.scores)
    for kind in (pairs.same, ~pairs.same):
        influence[kind] = (wrong[kind] - wrong[kind].mean()) / (2 * kind.sum())
    if not value:
        influence[:] = 0
    return Score("eer", value, *interval(value, influence, pairs.first, pairs.second), wrong.size, "higher")
