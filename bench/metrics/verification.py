"""Metrics of verification: same person or not? Pure functions of arrays of similarities.

A larger score means more alike. A pair is accepted when its score is *above* the threshold.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from bench.metrics._partition import whole_numbers
from bench.types import Flag, FlagCode, Floats, Score
from bench.uncertainty.intervals import wilson

SEPARATES = 0.95
"""The least AUC of an encoder, on the data in use, that can say something about anybody's protection."""

RATES = {"1e2": 1e-2, "1e3": 1e-3}
"""The false accept rates at which TAR is given, by the end of the figure's name."""

_PHOTOS = 2000
_SAMPLE = 0x5E9A


def _similarities(values: npt.ArrayLike, name: str) -> Floats:
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name} must be a list of scores, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} has a score that is not finite")
    return array


def threshold_at_far(impostor: npt.ArrayLike, far: float) -> float:
    """The lowest threshold at which at most the share `far` of the impostor pairs is accepted.

    Args:
        impostor: float [pair], scores of different people, disjoint from the pairs that the threshold will
            judge.
        far: The false accept rate, in (0, 1).

    Returns:
        A score; NaN for fewer than 1/far pairs, which cannot show so low a rate.

    Raises:
        ValueError: There are no pairs, a score is not finite, or far lies outside (0, 1).
    """
    scores = np.sort(_similarities(impostor, "impostor"))[::-1]
    if not 0 < far < 1:
        raise ValueError(f"far must lie between 0 and 1, got {far}")
    # The slack keeps 1000 * .001 at one pair.
    allowed = math.floor(far * scores.size + 1e-9)
    return float(scores[allowed]) if allowed else math.nan


def tar_at_far(
    genuine: npt.ArrayLike,
    impostor: npt.ArrayLike,
    far: float,
    *,
    people: npt.ArrayLike | None = None,
    name: str | None = None,
) -> Score:
    """TAR@FAR: the share of genuine pairs accepted at the threshold calibrated on impostor pairs, in [0, 1].

    Args:
        genuine: float [pair], scores of two photos of one person.
        impostor: float [pair], scores of different people, all of them calibration people who are in no
            genuine pair.
        far: The false accept rate that the threshold is calibrated for, in (0, 1).
        people: int [pair], the person of each genuine pair. With it the value is the mean over people, and
            the interval has people as units (see `bench.uncertainty.intervals.wilson`). Without it the pairs
            count as independent, and the interval is too narrow where a person has several.
        name: The score's name; by default `tar_far_` and far, as in `tar_far_1e3` for .001.

    Returns:
        The score; its value is NaN where there are fewer than 1/far impostor pairs.

    Raises:
        ValueError: As in `threshold_at_far`, or `people` has another length.
    """
    scores, threshold = _similarities(genuine, "genuine"), threshold_at_far(impostor, far)
    accepted = (scores > threshold).astype(np.float64)
    if people is not None:
        shown = whole_numbers(people, "people")
        if shown.shape != scores.shape:
            raise ValueError(f"people must name one person for each of {scores.size} genuine pairs")
        group = np.unique(shown, return_inverse=True)[1]
        accepted = np.bincount(group, weights=accepted) / np.bincount(group)
    label = name or "tar_far_" + np.format_float_scientific(far, trim="-", exp_digits=1).replace("e-", "e")
    if math.isnan(threshold):
        return Score(label, math.nan, math.nan, math.nan, accepted.size, "lower")
    return _rate(label, float(accepted.mean()), accepted.size, "lower")


def _rate(name: str, value: float, n: int, better: Literal["lower", "higher"]) -> Score:
    return Score(name, value, *wilson(value * n, n), n, better)


def auc(genuine: npt.ArrayLike, impostor: npt.ArrayLike) -> Score:
    """Area under the ROC curve: how often a genuine pair scores above an impostor pair; ties count half.

    The interval is Wilson's with the smaller number of pairs as n. The variance of the area is at most AUC (1
    - AUC) / min(pairs), and the interval does not vanish at an area of 1.

    Args:
        genuine: float [pair], scores of two photos of one person.
        impostor: float [pair], scores of different people.

    Raises:
        ValueError: There are no pairs, or a score is not finite.
    """
    same, other = _similarities(genuine, "genuine"), _similarities(impostor, "impostor")
    other = np.sort(other)
    beaten = np.searchsorted(other, same, side="left") + np.searchsorted(other, same, side="right")
    wins = float(beaten.sum()) / 2
    return _rate("auc", wins / (same.size * other.size), min(same.size, other.size), "lower")


def eer(genuine: npt.ArrayLike, impostor: npt.ArrayLike) -> Score:
    """Equal error rate: the rate at which as many genuine pairs are refused as impostor pairs are accepted.

    Between two thresholds the rates are joined by a straight line. The figure summarises a curve and gives no
    threshold to use on the same pairs. The interval is Wilson's with the smaller number of pairs as n.

    Args:
        genuine: float [pair], scores of two photos of one person.
        impostor: float [pair], scores of different people.

    Raises:
        ValueError: There are no pairs, or a score is not finite.
    """
    same, other = np.sort(_similarities(genuine, "genuine")), np.sort(_similarities(impostor, "impostor"))
    thresholds = np.concatenate([[-np.inf], np.unique(np.concatenate([same, other]))])
    refused = np.searchsorted(same, thresholds, side="right") / same.size
    accepted = 1 - np.searchsorted(other, thresholds, side="right") / other.size
    # From (0 refused, 1 accepted) to (1, 0) the difference rises, so it crosses zero once.
    after = int(np.argmax(refused >= accepted))
    before = after - 1
    gap0, gap1 = accepted[before] - refused[before], refused[after] - accepted[after]
    share = gap0 / (gap0 + gap1)
    value = float(refused[before] + share * (refused[after] - refused[before]))
    return _rate("eer", value, min(same.size, other.size), "higher")


def separation(embeddings: npt.ArrayLike, people: npt.ArrayLike, *, photos: int = _PHOTOS) -> Score:
    """AUC of an encoder on clean photos of known people: can the encoder tell them apart at all?

    For each person with at least two photos, the figure is how often a pair of that person scores above a
    pair of two people; ties count half. The value is the mean over these people, so a person with twenty
    photos counts as much as one with two. It is the area under the ROC curve in which every genuine pair
    weighs one over its person's pairs. The interval is Wilson's with these people as units.

    Args:
        embeddings: float [photo, dimension], unit rows; rows of NaN (no face) are left out.
        people: int [photo], the person on each photo.
        photos: The number of photos that are compared, about, at most. Whole people are drawn by a fixed
            seed; half of the photos are of people with several, if there are so many.

    Returns:
        The score `auc`; NaN, with n = 0, where there is no genuine or no impostor pair.

    Raises:
        ValueError: The arrays do not fit each other.
    """
    vectors, owners = np.asarray(embeddings, np.float32), whole_numbers(people, "people")
    if vectors.ndim != 2 or owners.shape != vectors.shape[:1]:
        raise ValueError(f"people must name one person for each of {len(vectors)} embeddings [photo, dim]")
    seen = np.isfinite(vectors).all(1)
    vectors, owners = vectors[seen], np.unique(owners[seen], return_inverse=True)[1]
    kept = _sampled(owners, photos)
    vectors, owners = vectors[kept], owners[kept]
    cosines = vectors @ vectors.T
    same = owners[:, None] == owners
    upper = np.triu(np.ones_like(same), 1)
    genuine, impostor = cosines[same & upper], np.sort(cosines[~same & upper])
    if not genuine.size or not impostor.size:
        return Score("auc", math.nan, math.nan, math.nan, 0, "lower")
    beaten = np.searchsorted(impostor, genuine, side="left") + np.searchsorted(
        impostor, genuine, side="right"
    )
    group = np.unique(np.broadcast_to(owners[:, None], same.shape)[same & upper], return_inverse=True)[1]
    by_person = np.bincount(group, weights=beaten / (2 * impostor.size)) / np.bincount(group)
    return _rate("auc", float(by_person.mean()), by_person.size, "lower")


def encoder_flags(score: Score) -> list[Flag]:
    """The flag of an encoder that does not tell people apart; an empty list for one that does.

    Args:
        score: The AUC, from `separation` for example. An AUC that is not defined shows nothing, and is
            flagged.
    """
    if score.value >= SEPARATES:
        return []
    measured = "not measurable" if math.isnan(score.value) else f"{score.value:.3f}"
    return [Flag(FlagCode.WEAK_ENCODER, f"AUC below {SEPARATES:g} on this data ({measured})")]


def _sampled(owners: npt.NDArray[np.int64], photos: int) -> npt.NDArray[np.int64]:
    """The rows to compare: all, or those of whole people drawn by a fixed seed."""
    if owners.size <= photos:
        return np.arange(owners.size)
    counts = np.bincount(owners)
    order = np.random.Generator(np.random.Philox(_SAMPLE)).permutation(counts.size)
    several, single = order[counts[order] > 1], order[counts[order] == 1]
    share = max(photos // 2, photos - single.size)
    chosen = several[: max(1, int(np.searchsorted(np.cumsum(counts[several]), share, side="right")))]
    rest = single[: max(0, photos - int(counts[chosen].sum()))]
    return np.flatnonzero(np.isin(owners, np.concatenate([chosen, rest])))
