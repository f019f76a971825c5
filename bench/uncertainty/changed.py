"""The users who changed sides between two measurements: an interval, a test, and how many users settle it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import optimize

from bench.uncertainty.intervals import CONFIDENCE, LEVEL, Interval, normal_quantile
from bench.uncertainty.paired import Comparison, compare, mcnemar
from bench.uncertainty.power import mcnemar_power

MOST = 20_000
"""No search for a number of users goes beyond this."""

_NEAR = 1e-9
"""How near to a difference its interval is sought."""


def score_interval(first_only: int, second_only: int, users: int, confidence: float = CONFIDENCE) -> Interval:
    """The interval of the difference of two rates on the same users, by the score test (Tango 1998).

    It holds the differences that the score test of paired outcomes does not refuse. After no change it is as
    wide as Wilson's interval after no event, where a bootstrap would be a point.

    Args:
        first_only: The number of users with the event in the first measurement alone.
        second_only: The number of users with the event in the second measurement alone.
        users: The number of users, at least 1.
        confidence: The two-sided confidence, in (0, 1).

    Returns:
        The ends of the interval of the first rate less the second, in [-1, 1].

    Raises:
        ValueError: The counts are negative or more than there are users, or confidence lies outside (0, 1).
    """
    if users < 1 or min(first_only, second_only) < 0 or first_only + second_only > users:
        raise ValueError(f"{first_only} and {second_only} are no counts of {users} users who changed sides")
    quantile = normal_quantile(confidence)
    difference = (first_only - second_only) / users

    def beyond(supposed: float) -> float:
        """How many standard errors the counts lie above a supposed difference, less the quantile's square."""
        b = 2 * users * supposed - (first_only + second_only) - (first_only - second_only) * supposed
        c = -second_only * supposed * (1 - supposed)
        second = (math.sqrt(max(b * b - 8 * users * c, 0.0)) - b) / (4 * users)
        variance = max(users * (2 * second + supposed * (1 - supposed)), 0.0)
        distance = first_only - second_only - users * supposed
        return distance * distance - quantile**2 * variance

    def end(limit: float) -> float:
        if beyond(limit) <= 0:
            return limit
        near = difference + math.copysign(_NEAR, limit)  # at the difference itself nothing is refused
        return float(optimize.brentq(beyond, near, limit, xtol=1e-12))

    return Interval(end(-1.0), end(1.0))


def compare_users(first: npt.ArrayLike, second: npt.ArrayLike, confidence: float = CONFIDENCE) -> Comparison:
    """How two measurements of the same users differ.

    Where each has one attacker, one draw and yes-or-no outcomes, the interval is `score_interval`, which
    needs no bootstrap. Everything else is `bench.uncertainty.paired.compare`. One user is no evidence.

    Args:
        first: float [attacker, draw, user], outcomes in [0, 1]; larger is worse.
        second: float [attacker, draw, user], for the same draws and users.
        confidence: The two-sided confidence, in (0, 1).

    Returns:
        The first less the second.

    Raises:
        ValueError: As in `compare`.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.ndim == 3 and a.shape[2] == 1 and a.shape[1:] == b.shape[1:]:
        difference = float(a.mean(1).max() - b.mean(1).max())
        return Comparison(difference, -1.0, 1.0, 1.0, "mcnemar", int(difference > 0), int(difference < 0))
    yes_or_no = bool(np.isin(a, (0, 1)).all() and np.isin(b, (0, 1)).all())
    if a.shape != b.shape or a.shape[:2] != (1, 1) or not yes_or_no:
        return compare(a, b, confidence=confidence)
    found, users = mcnemar(a[0, 0] > 0, b[0, 0] > 0), a.shape[2]
    low, high = score_interval(found.first_only, found.second_only, users, confidence)
    difference = (found.first_only - found.second_only) / users
    return Comparison(difference, low, high, found.p, "mcnemar", found.first_only, found.second_only)


def users_needed(
    first_only: float, second_only: float, *, level: float = LEVEL, power: float = 0.8
) -> int | None:
    """How many users would show a difference of this size, by McNemar's exact test in one draw.

    Args:
        first_only: The share of users with the event in the first measurement alone.
        second_only: The share of users with the event in the second measurement alone.
        level: The level of the two-sided test, divided by the number of tests that it is corrected for.
        power: The chance of finding the difference, in (0, 1).

    Returns:
        A number of users; None where there is no difference, or where `MOST` users would not show it.

    Raises:
        ValueError: As in `bench.uncertainty.power.mcnemar_power`.
    """

    def show(users: int) -> bool:
        return mcnemar_power(users, first_only, second_only, level) >= power

    if first_only == second_only:
        return None
    low, high = 0, 8
    while not show(high):
        if high == MOST:
            return None
        low, high = high, min(2 * high, MOST)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if show(middle) else (middle, high)
    return high
