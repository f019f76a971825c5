"""Power: the smallest difference that a run of a given size would detect, and its bound after no event."""

from __future__ import annotations

import math

import numpy as np
from scipy import special, stats

from bench.uncertainty.intervals import CONFIDENCE, LEVEL, clopper_pearson, wilson


def half_width(users: int, rate: float = 0.5, confidence: float = CONFIDENCE) -> float:
    """Half the width of Wilson's interval around a rate, in one draw.

    Args:
        users: The number of users.
        rate: The rate, in [0, 1].
        confidence: The two-sided confidence, in (0, 1).

    Raises:
        ValueError: As in `bench.uncertainty.intervals.wilson`.
    """
    low, high = wilson(rate * users, users, confidence)
    return (high - low) / 2


def zero_event_bound(users: int, confidence: float = CONFIDENCE, *, exact: bool = False) -> float:
    """The largest rate that remains possible after no event among so many users, in [0, 1].

    Args:
        users: The number of independent users in one draw.
        confidence: The confidence of the two-sided interval whose upper end is returned.
        exact: Whether the interval is Clopper and Pearson's instead of Wilson's.

    Raises:
        ValueError: There are no users, or confidence lies outside (0, 1).
    """
    return (clopper_pearson if exact else wilson)(0, users, confidence).high


def effective_users(users: int, draws: int = 1, *, persistence: float = 1.0, shared: float = 0.0) -> float:
    """The number of users in one draw that would tell as much as `users` in each of `draws`.

    The variance of a mean over a full table of users and draws is that of one outcome times persistence /
    users + shared / draws + (1 - persistence - shared) / (users × draws).

    Args:
        users: The number of users, the same in every draw.
        draws: The number of draws of background and seed.
        persistence: The intra-user correlation in [0, 1]: the share of an outcome's variance that the user
            keeps from draw to draw (`bench.uncertainty.intervals.Spread.persistence` measures it). At 1, the
            careful default, further draws add nothing.
        shared: The share of that variance that everybody in one draw has in common. In a difference of two
            defenses on the same draws, an effect on both has cancelled. With one draw it must be 0, because
            that draw cannot tell its size.

    Raises:
        ValueError: There are no users or draws, or the shares are negative or exceed 1 together.
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
    """How often two defenses with given rates differ on a user.

    Args:
        rate: The first defense's rate, in [0, 1].
        difference: The first rate less the second; rate - difference lies in [0, 1].
        correlation: The phi coefficient between the two outcomes of a user, in [0, 1]. Independence (0)
            leaves the most discordant users of all correlations that are not negative, hence the largest
            noise. Where phi is larger than the two rates allow, the largest possible phi is taken.

    Returns:
        The share of users with the event under the first defense alone, and under the second alone.

    Raises:
        ValueError: A rate or the correlation lies outside [0, 1].
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


def mcnemar_power(
    users: int, first_only: float, second_only: float, level: float = LEVEL, beyond: float = 0.0
) -> float:
    """The chance that McNemar's exact test finds a difference of this size: enumerated, not approximated.

    Args:
        users: The number of independent users in one draw.
        first_only: The share of users with the event under the first defense alone.
        second_only: The share of users with the event under the second defense alone.
        level: The level of the two-sided test, in (0, 1).
        beyond: What the difference that is seen has to exceed besides, at least 0.

    Returns:
        The chance of p <= level, in either direction, in [0, 1].

    Raises:
        ValueError: There are no users, the shares are negative or exceed 1 together, or level lies outside
            (0, 1).
    """
    _check(users, first_only, second_only, level)
    whole = first_only + second_only
    if whole <= 0:
        return 0.0
    differing = np.arange(1, users + 1)
    # the largest count of the rarer kind at which 2 P(X <= count) <= level, X ~ Bin(differing, 1/2)
    reject = stats.binom.ppf(level / 2, differing, 0.5)
    reject = np.where(2 * stats.binom.cdf(reject, differing, 0.5) <= level, reject, reject - 1)
    if beyond > 0:
        reject = np.minimum(reject, np.ceil((differing - users * beyond) / 2 - 1e-9) - 1)
    share = first_only / whole
    detected = stats.binom.cdf(reject, differing, share) + stats.binom.cdf(reject, differing, 1 - share)
    return float((stats.binom.pmf(differing, users, min(whole, 1.0)) * detected).sum())


def t_power(
    users: int, first_only: float, second_only: float, level: float = LEVEL, beyond: float = 0.0
) -> float:
    """The chance that the test over several draws finds a difference of this size: enumerated.

    The test is Student's, of the users' differences over their standard error, as `bench.uncertainty.paired`
    makes it where users keep their outcomes from draw to draw. Five users who differ are no evidence, nor are
    fewer.

    Args:
        users: As in `mcnemar_power`.
        first_only: As in `mcnemar_power`.
        second_only: As in `mcnemar_power`.
        level: As in `mcnemar_power`.
        beyond: As in `mcnemar_power`.

    Returns:
        The chance of p <= level, in either direction, in [0, 1].

    Raises:
        ValueError: As in `mcnemar_power`, or there are fewer than two users.
    """
    _check(users, first_only, second_only, level)
    if users < 2:
        raise ValueError("a test of means needs two users")
    first = np.arange(users + 1)[:, None]
    second = np.arange(users + 1)[None, :]
    possible = first + second <= users
    mean = (first - second) / users
    variance = np.maximum((first + second) / users - mean**2, 0) * users / (users - 1) / users
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(mean) / np.sqrt(variance)
    enough = 0.5 ** (first + second - 1.0) <= LEVEL
    detected = possible & enough & (t >= special.stdtrit(users - 1, 1 - level / 2))
    detected &= np.abs(mean) > beyond + 1e-9
    neither = max(1 - first_only - second_only, 0.0)
    left = np.where(possible, users - first - second, 0)
    chance = (
        special.gammaln(users + 1) - special.gammaln(first + 1) - special.gammaln(second + 1)
    ) - special.gammaln(left + 1)
    chance = chance + special.xlogy(first, first_only) + special.xlogy(second, second_only)
    chance = chance + special.xlogy(left, neither)
    return float(np.exp(chance[detected]).sum())


def smallest_detectable_difference(
    users: int,
    draws: int = 1,
    *,
    rate: float | None = 0.5,
    correlation: float = 0.0,
    persistence: float = 1.0,
    shared: float = 0.0,
    level: float = LEVEL,
    power: float = 0.8,
    comparisons: int = 1,
    beyond: float = 0.0,
) -> float:
    """The amount by which two defenses' rates must differ to be told apart, on the same users.

    It is the smallest difference that the test of ranks finds with the given power: McNemar's exact one in
    one draw (`mcnemar_power`), over several draws Student's (`t_power`). Several draws enter as
    `effective_users`, rounded down. This takes the variance between draws for known, so with few draws and
    `shared` above 0 the result is somewhat optimistic.

    Args:
        users: The number of users, the same under both defenses.
        draws: The number of draws of background and seed.
        rate: The rate of the defense that is to be beaten, in (0, 1]. None: the two rates lie around one
            half, equally far from it, where noise is largest.
        correlation: As in `discordant`; 0 is the hardest.
        persistence: As in `effective_users`, for the difference of one user's two outcomes; 1 is the hardest.
        shared: As in `effective_users`.
        level: The level of the two-sided test.
        power: The chance of detecting the difference, in (0, 1).
        comparisons: The number of pairs on the board; Holm's first step divides the level by it. Until
            clearer pairs are told apart, a pair can count on no more.
        beyond: As in `mcnemar_power`: the largest drop that `bench gate` allows.

    Returns:
        A difference in (0, rate], or in (0, 1] around one half; NaN where so few users could not even show
            the largest one.

    Raises:
        ValueError: An argument is out of range.
    """
    if rate is not None and not 0 < rate <= 1:
        raise ValueError(f"a rate to be lowered must lie in (0, 1], got {rate}")
    if not 0 < power < 1:
        raise ValueError(f"power must lie between 0 and 1, got {power}")
    if comparisons < 1:
        raise ValueError(f"comparisons must be at least 1, got {comparisons}")
    units = math.floor(effective_users(users, draws, persistence=persistence, shared=shared) + 1e-9)
    found = mcnemar_power if draws == 1 else t_power

    def detects(difference: float) -> bool:
        worse = rate if rate is not None else (1 + difference) / 2
        first_only, second_only = discordant(worse, difference, correlation)
        return found(units, first_only, second_only, level / comparisons, beyond) >= power

    most = 1.0 if rate is None else rate
    if units < (1 if draws == 1 else 2) or not detects(most):
        return math.nan
    low, high = 0.0, most
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (low, middle) if detects(middle) else (middle, high)
    return high


def _check(users: int, first_only: float, second_only: float, level: float) -> None:
    """See that a power can be computed.

    Raises:
        ValueError: It cannot.
    """
    if users < 1:
        raise ValueError(f"power needs users, got {users}")
    if first_only < 0 or second_only < 0 or not first_only + second_only <= 1 + 1e-12:
        raise ValueError(f"discordant users must be shares of one whole, got {first_only} and {second_only}")
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level}")
