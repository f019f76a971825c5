"""What a run of this size could show: the smallest difference it would detect, its bound after no event."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from bench.uncertainty.intervals import clopper_pearson, wilson


def half_width(users: int, rate: float = 0.5, confidence: float = 0.95) -> float:
    """Half the width of Wilson's interval around a rate, in one draw.

    Raises:
        ValueError: as in `bench.uncertainty.intervals.wilson`.
    """
    low, high = wilson(rate * users, users, confidence)
    return (high - low) / 2


def zero_event_bound(users: int, confidence: float = 0.95, *, exact: bool = False) -> float:
    """The largest rate that seeing no event among so many users leaves possible.

    Args:
        users: independent units in one draw.
        confidence: of the two-sided interval whose upper end it is.
        exact: Clopper and Pearson's instead of Wilson's.

    Raises:
        ValueError: for no users, or confidence outside (0, 1).
    """
    return (clopper_pearson if exact else wilson)(0, users, confidence).high


def effective_users(users: int, draws: int = 1, *, persistence: float = 1.0, shared: float = 0.0) -> float:
    """How many users in one draw would tell as much as `users` in each of `draws`.

    The variance of a mean over a full table of users and draws is that of one outcome times
    persistence / users + shared / draws + (1 - persistence - shared) / (users × draws).

    Args:
        users: the same in every draw.
        draws: of background and seed.
        persistence: the intra-user correlation in [0, 1]: the share of an outcome's variance that the user
            keeps from draw to draw (`bench.uncertainty.intervals.Spread.persistence` measures it). At 1, the
            careful default, further draws add nothing.
        shared: the share of it that everybody in one draw has in common. In a difference of two defenses on
            the same draws what hits both alike has cancelled. With one draw it must be 0: nothing in that
            draw can tell its size.

    Raises:
        ValueError: for no users or draws, or shares that are negative or exceed 1 together.
    """
    if users < 1 or draws < 1:
        raise ValueError(f"power needs users and draws, got {users} and {draws}")
    if persistence < 0 or shared < 0 or not persistence + shared <= 1:
        raise ValueError(
            f"persistence and shared must be shares of one whole, got {persistence} and {shared}"
        )
    if draws == 1 and shared > 0:
        raise ValueError("what a draw's users share cannot be averaged out in one draw: shared must be 0")
    return 1 / (persistence / users + shared / draws + (1 - persistence - shared) / (users * draws))


def discordant(rate: float, difference: float, correlation: float = 0.0) -> tuple[float, float]:
    """How often two defenses with given rates differ on a user: under the first alone, and the second alone.

    Args:
        rate: of the first, in [0, 1].
        difference: first less second; rate - difference lies in [0, 1].
        correlation: phi between the two outcomes of a user. 0 (independent) leaves the most discordant users
            of any correlation that is not negative, hence the largest noise. Where phi is larger than the two
            rates allow, the largest possible one is taken.

    Raises:
        ValueError: for rates outside [0, 1] or a correlation outside [0, 1].
    """
    other = rate - difference
    if not (0 <= rate <= 1 and -1e-12 <= other <= 1 + 1e-12):
        raise ValueError(f"both rates must lie in [0, 1], got {rate} and {other}")
    if not 0 <= correlation <= 1:
        raise ValueError(f"correlation must lie in [0, 1], got {correlation}")
    other = min(max(other, 0.0), 1.0)
    together = correlation * math.sqrt(rate * (1 - rate) * other * (1 - other))
    first = rate * (1 - other) - together
    second = other * (1 - rate) - together
    least = min(first, second)
    return (first - least, second - least) if least < 0 else (first, second)


def mcnemar_power(users: int, first_only: float, second_only: float, level: float = 0.05) -> float:
    """How likely McNemar's exact test finds a difference of this size: enumerated, not approximated.

    Args:
        users: independent, in one draw.
        first_only: share of users with the event under the first defense alone.
        second_only: under the second alone.
        level: of the two-sided test.

    Returns:
        In [0, 1]; the chance of p <= level, in either direction.

    Raises:
        ValueError: for no users, shares outside [0, 1] or above 1 together, or level outside (0, 1).
    """
    whole = first_only + second_only
    if users < 1:
        raise ValueError(f"power needs users, got {users}")
    if first_only < 0 or second_only < 0 or not whole <= 1 + 1e-12:
        raise ValueError(f"discordant users must be shares of one whole, got {first_only} and {second_only}")
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level}")
    if whole <= 0:
        return 0.0
    differing = np.arange(1, users + 1)
    # the largest count of the rarer kind at which 2 P(X <= count) <= level, X ~ Bin(differing, 1/2)
    reject = stats.binom.ppf(level / 2, differing, 0.5)
    reject = np.where(2 * stats.binom.cdf(reject, differing, 0.5) <= level, reject, reject - 1)
    share = first_only / whole
    detected = stats.binom.cdf(reject, differing, share) + stats.binom.cdf(reject, differing, 1 - share)
    return float((stats.binom.pmf(differing, users, min(whole, 1.0)) * detected).sum())


def smallest_detectable_difference(
    users: int,
    draws: int = 1,
    *,
    rate: float = 0.5,
    correlation: float = 0.0,
    persistence: float = 1.0,
    shared: float = 0.0,
    level: float = 0.05,
    power: float = 0.8,
    comparisons: int = 1,
) -> float:
    """By how much a defense must lower a rate to be told apart from another, on the same users.

    The smallest difference that McNemar's exact test finds with the given power. Several draws enter as
    `effective_users`, rounded down; this takes the variance between draws for known, so that with few draws
    and `shared` above 0 it is somewhat optimistic.

    Args:
        users: the same under both defenses.
        draws: of background and seed.
        rate: of the defense that is to be beaten. .5 is the hardest.
        correlation: see `discordant`; 0 is the hardest.
        persistence: of the difference of one user's two outcomes; see `effective_users`; 1 is the hardest.
        shared: see `effective_users`.
        level: of the two-sided test.
        power: the chance of detecting it.
        comparisons: how many are made on the board; Holm's first step divides the level by it.

    Returns:
        In (0, rate]; NaN when so few users could not even show that the other defense leaves nothing.

    Raises:
        ValueError: for arguments out of range.
    """
    if not 0 < rate <= 1:
        raise ValueError(f"a rate to be lowered must lie in (0, 1], got {rate}")
    if not 0 < power < 1:
        raise ValueError(f"power must lie between 0 and 1, got {power}")
    if comparisons < 1:
        raise ValueError(f"comparisons must be at least 1, got {comparisons}")
    units = math.floor(effective_users(users, draws, persistence=persistence, shared=shared) + 1e-9)

    def detects(difference: float) -> bool:
        first_only, second_only = discordant(rate, difference, correlation)
        return mcnemar_power(units, first_only, second_only, level / comparisons) >= power

    if units < 1 or not detects(rate):
        return math.nan
    low, high = 0.0, rate
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (low, middle) if detects(middle) else (middle, high)
    return high
