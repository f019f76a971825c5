"""Intervals. The unit is the user: photos of one person are not independent."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple


class Interval(NamedTuple):
    """The two ends of an interval for a rate, both in [0, 1]."""

    low: float
    high: float


def wilson(successes: float, n: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval for a rate (Wilson 1927).

    Written out, because `scipy.stats` takes whole counts only (a test compares the two on those), and here
    the same interval also serves a mean of user rates. A quantity in [0, 1] with mean p varies by at most
    p(1 - p) (Bhatia and Davis 2000), the variance of a coin; so with n users, and the sum of their rates
    for `successes`, the interval is wide enough however a user's photos depend on each other, and it does
    not shrink to a point at a rate of 0 or 1 as a bootstrap does.

    Args:
        successes: how many of n, or the sum of n rates.
        n: how many units; at least 1.
        confidence: two-sided, strictly between 0 and 1.

    Raises:
        ValueError: for n < 1, successes outside 0..n or NaN, confidence outside (0, 1).
    """
    if n < 1:
        raise ValueError(f"an interval needs at least one unit, got n = {n}")
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie between 0 and n = {n}, got {successes}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    z2 = NormalDist().inv_cdf(0.5 + confidence / 2) ** 2
    rate = successes / n
    middle = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (rate * (1 - rate) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    # At a rate of 0 or 1 the end is exact; rounding must not put the value outside its own interval.
    return Interval(max(0.0, min(rate, middle - half)), min(1.0, max(rate, middle + half)))
