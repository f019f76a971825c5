"""Metrics of identification: did the attacker name the person on a cloaked probe?

All are pure functions of arrays.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bench.metrics._partition import mask, whole_numbers
from bench.types import Mask, Score
from bench.uncertainty.intervals import wilson


def protection_success_rate(
    ranked: npt.ArrayLike,
    truth: npt.ArrayLike,
    k: int,
    *,
    detected: npt.ArrayLike | None = None,
    name: str | None = None,
) -> Score:
    """PSR@k = 1 - rank-k identification rate, in [0, 1]. A higher rate protects better.

    A probe is identified when its person is among the first k people that the attacker named. The value is
    the mean over users of each user's rate, so that nobody counts more for having more photos, and `n` counts
    users. The interval is Wilson's 95 % interval for a mean of rates, with users as units (see
    `bench.uncertainty.intervals.wilson`). It holds however one user's probes depend on each other, and it is
    wider than needed when they do not.

    A probe in which no face was detected cannot be identified, so it counts as protected. `protection_bounds`
    tells how far the value rests on such probes.

    Args:
        ranked: int [probe, top], people in order, the most likely first; -1 where there are no more. Rows of
            probes without a detected face are ignored.
        truth: int [probe], the person on each probe.
        k: The number of guesses, 1 <= k <= top.
        detected: bool [probe], whether a face was detected; by default in all.
        name: The score's name; by default `psr` and k.

    Raises:
        ValueError: An array has another type or length, there are no probes, or k lies outside 1..top.
    """
    identified, users = _identified(ranked, truth, k, detected)
    rates = 1 - _user_means(identified, users)
    total = float(rates.sum())
    return Score(name or f"psr{k}", total / rates.size, *wilson(total, rates.size), rates.size, "higher")


def protection_by_user(
    ranked: npt.ArrayLike, truth: npt.ArrayLike, k: int, *, detected: npt.ArrayLike | None = None
) -> dict[int, float]:
    """Each user's share of probes that were not identified, by user in increasing order.

    The arguments and the errors are those of `protection_success_rate`.
    """
    identified, users = _identified(ranked, truth, k, detected)
    rates = 1 - _user_means(identified, users)
    return {int(user): float(rate) for user, rate in zip(np.unique(users), rates, strict=True)}


def protection_bounds(
    ranked: npt.ArrayLike,
    truth: npt.ArrayLike,
    k: int,
    unsure: npt.ArrayLike,
    *,
    detected: npt.ArrayLike | None = None,
) -> tuple[float, float]:
    """PSR@k if every unsure probe had been identified, and if no unsure probe had been.

    Args:
        ranked: As for `protection_success_rate`.
        truth: As for `protection_success_rate`.
        k: As for `protection_success_rate`.
        unsure: bool [probe], probes whose result says nothing, such as undetected or over-budget ones.
        detected: As for `protection_success_rate`.

    Returns:
        The rate in the worst case, which is the lower one, and in the best case.

    Raises:
        ValueError: As in `protection_success_rate`, or the mask has another length.
    """
    identified, users = _identified(ranked, truth, k, detected)
    doubtful = mask(unsure, "unsure", identified.size)
    worst = 1 - _user_means(identified | doubtful, users).mean()
    return float(worst), float(1 - _user_means(identified & ~doubtful, users).mean())


def _identified(
    ranked: npt.ArrayLike, truth: npt.ArrayLike, k: int, detected: npt.ArrayLike | None
) -> tuple[Mask, npt.NDArray[np.int64]]:
    """Whether each probe's person was named within the first k, bool [probe], and the person."""
    people = whole_numbers(truth, "truth", least=0)
    names = np.asarray(ranked)
    if people.size == 0:
        raise ValueError("there are no probes")
    if names.ndim != 2 or names.shape[0] != people.size or names.dtype.kind not in "iu":
        raise ValueError(
            f"ranked must be whole numbers [{people.size} probes, top], got {names.dtype} {names.shape}"
        )
    if not 1 <= k <= names.shape[1]:
        raise ValueError(f"k must lie in 1..{names.shape[1]}, the people ranked for a probe; got {k}")
    hit = (names[:, :k] == people[:, None]).any(axis=1)
    return hit & mask(detected, "detected", people.size), people


def _user_means(identified: Mask, users: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The mean of `identified` for each user, in increasing order of user."""
    user = np.unique(users, return_inverse=True)[1]
    means: npt.NDArray[np.float64] = np.bincount(user, weights=identified) / np.bincount(user)
    return means
