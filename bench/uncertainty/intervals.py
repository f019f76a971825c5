"""Intervals. The unit is the user, because photos of one person depend on each other.

`wilson` and `clopper_pearson` are for one draw. `rate_interval` is for users who were measured in several
draws of background and seed: such outcomes depend on each other within a draw and within a user.
`docs/statistics.md` says which interval is printed where, and how often each covers.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from bench.types import Floats, Mask

CONFIDENCE = 0.95
"""The two-sided confidence of every interval of the protocol."""

LEVEL = 0.05
"""The significance level of every test of the protocol: what `CONFIDENCE` leaves of 1."""

NARROWEST = 0.1
"""The smallest variance that is used, as a share of the variance of independent outcomes. Over few draws an
estimate can come out near zero by chance.
"""


class Interval(NamedTuple):
    """The two ends of an interval. The ends of a rate's interval are in [0, 1]."""

    low: float
    high: float


def wilson(successes: float, n: float, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's score interval for a rate (Wilson 1927).

    `scipy.stats` takes whole counts only; a test compares the two on those. Here the interval also serves a
    mean of user rates. A quantity in [0, 1] with mean p varies by at most p(1 - p), the variance of a coin
    (Bhatia and Davis 2000). So with n users, and the sum of their rates for `successes`, the interval is wide
    enough however a user's photos depend on each other. It does not shrink to a point at a rate of 0 or 1, as
    a bootstrap does.

    Args:
        successes: The number of successes in n, or the sum of n rates.
        n: The number of units, above 0. It need not be whole where it is an effective number (see
            `rate_interval`).
        confidence: The two-sided confidence, in (0, 1).

    Raises:
        ValueError: n is not above 0, successes lies outside 0..n, or confidence lies outside (0, 1).
    """
    if not n > 0:
        raise ValueError(f"an interval needs at least one unit, got n = {n}")
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie between 0 and n = {n}, got {successes}")
    z2 = normal_quantile(confidence) ** 2
    rate = successes / n
    middle = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (rate * (1 - rate) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    # At a rate of 0 or 1 the end is exact; rounding must not put the value outside its own interval.
    return Interval(max(0.0, min(rate, middle - half)), min(1.0, max(rate, middle + half)))


def clopper_pearson(successes: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """The exact interval for a rate (Clopper and Pearson 1934). It covers at least as often as it says.

    It is wider than `wilson`, whose coverage is right on average over rates and may fall below at some. The
    board prints Wilson's interval. The exact one is for a claim that must not be overstated, such as "no user
    was clustered".

    Args:
        successes: The number of successes in n.
        n: The number of independent units, at least 1.
        confidence: The two-sided confidence, in (0, 1).

    Raises:
        ValueError: n is below 1, successes lies outside 0..n, either is not whole, or confidence lies outside
            (0, 1).
    """
    if n != int(n) or successes != int(successes):
        raise ValueError(f"an exact interval needs whole counts, got {successes} of {n}")
    if n < 1:
        raise ValueError(f"an interval needs at least one unit, got n = {n}")
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie between 0 and n = {n}, got {successes}")
    tail = (1 - _checked(confidence)) / 2
    low = float(special.betaincinv(successes, n - successes + 1, tail)) if successes else 0.0
    high = float(special.betaincinv(successes + 1, n - successes, 1 - tail)) if successes < n else 1.0
    return Interval(low, high)


def normal_quantile(confidence: float) -> float:
    """The half-width of a two-sided normal interval in standard deviations: 1.96 for .95."""
    return NormalDist().inv_cdf(0.5 + _checked(confidence) / 2)


def t_quantile(confidence: float, df: float) -> float:
    """The half-width of a two-sided interval of Student's t with `df` > 0 degrees of freedom.

    `df` need not be whole.
    """
    return float(special.stdtrit(df, 0.5 + _checked(confidence) / 2))


def _checked(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    return confidence


class Spread(NamedTuple):
    """The mean of outcomes over draws and users, and the variance of that mean.

    Attributes:
        mean: The mean over all (draw, user) pairs.
        variance: The variance of that mean, where users and draws both count as drawn from many; at least 0.
        df: The degrees of freedom of `variance` (Satterthwaite 1946); never below draws - 1.
        user: The variance component of users: what a user keeps from draw to draw.
        draw: The variance component of draws, shared by everybody in one clustering. It can come out below 0.
        rest: The variance that remains.
        users: The number of distinct users.
        draws: The number of draws.
        pairs: The number of (draw, user) pairs.
    """

    mean: float
    variance: float
    df: float
    user: float
    draw: float
    rest: float
    users: int
    draws: int
    pairs: int

    @property
    def persistence(self) -> float:
        """The share of one outcome's variance that the user keeps from draw to draw, in [0, 1].

        It is 0 where nothing varies. It is the intra-user correlation that `bench.uncertainty.power` asks
        for.
        """
        whole = self.user + max(self.draw, 0.0) + self.rest
        return self.user / whole if whole > 0 else 0.0


def spread(outcomes: npt.ArrayLike, present: npt.ArrayLike | None = None) -> Spread:
    """The variance of a mean over crossed users and draws, by the method of moments.

    An outcome is the sum of a user's effect, a draw's effect and a rest, all uncorrelated. For exchangeable
    users and draws this is no assumption but the decomposition of a two-way table. The three components solve
    the three moment equations of Gao and Owen (2017, on U-statistics). For a full table these are the
    equations of the two-way analysis of variance. Users need not be the same in every draw. Where no user is
    in two draws, the user's effect and the rest cannot be told apart, and need not be.

    The component of users is kept above 0. The component of draws is not, or few draws would make it too
    large on average; its contribution to the variance is.

    Args:
        outcomes: float [draw, user], any finite numbers.
        present: bool [draw, user], whether the user was in the draw; by default every user was in every draw.

    Raises:
        ValueError: Shapes do not fit, a number is not finite where its user is present, nobody is present, a
            draw has no users, or there are fewer than two users.
    """
    values, in_draw = table(outcomes, present)
    draws, users = values.shape
    by_draw, by_user = in_draw.sum(1), in_draw.sum(0)
    n = int(by_draw.sum())
    if users < 2:
        raise ValueError("a variance over users needs two users")
    mean = float(values.sum() / n)
    centred = np.where(in_draw, values - mean, 0.0)
    square = float((centred**2).sum())
    # sums of squares within users, within draws, and over all pairs of outcomes
    within_user = square - float((centred.sum(0) ** 2 / by_user).sum())
    within_draw = square - float((centred.sum(1) ** 2 / by_draw).sum())
    nu, nr = float((by_user**2).sum()), float((by_draw**2).sum())
    if n == users or draws == 1:
        within = within_draw / max(n - draws, 1)
        user, rest = 0.0, max(within, 0.0)
        draw = (n * square - rest * (n * n - n)) / (n * n - nr) if draws > 1 else 0.0
    else:
        equations = np.array(
            [[0.0, n - users, n - users], [n - draws, 0.0, n - draws], [n * n - nu, n * n - nr, n * n - n]]
        )
        user, draw, rest = np.linalg.lstsq(equations, [within_user, within_draw, n * square], rcond=None)[0]
        user, draw, rest = max(float(user), 0.0), float(draw), max(float(rest), 0.0)
    noise = rest / n
    of_users = user * nu / n**2 + noise
    of_draws = max(draw * nr / n**2 + noise, 0.0) if draws > 1 else noise
    variance = of_users + of_draws - noise
    dof_rest = max(n - users - draws + 1, 1)
    terms = of_users**2 / (users - 1) + noise**2 / dof_rest
    if draws > 1:
        terms += of_draws**2 / (draws - 1)
    df = max(variance**2 / terms, draws - 1.0) if terms > 0 else float(users - 1)
    if draws == 1:
        df = float(users - 1)
    return Spread(mean, variance, df, user, draw, rest, users, draws, n)


def rate_interval(
    outcomes: npt.ArrayLike, present: npt.ArrayLike | None = None, confidence: float = CONFIDENCE
) -> Interval:
    """An interval for a rate over users and draws: Wilson's, with an effective number of units.

    The effective number is the number of independent outcomes that would have the variance of `spread`, times
    (z / t)² for the few draws behind that variance (Korn and Graubard 1998, who put it into Clopper and
    Pearson's interval; Dean and Pagano 2015 compare such intervals, Wilson's among them). With one draw the
    effective number is the number of users, and the interval is that of `wilson`. Such an interval is about
    the background and seed of this draw and cannot cover other draws. With no events, or nothing but events,
    the effective number is the number of distinct users.

    Args:
        outcomes: float [draw, user], F_u in {0, 1} or a rate of the user in [0, 1].
        present: bool [draw, user], whether the user was in the draw; see `spread`.
        confidence: The two-sided confidence, in (0, 1).

    Raises:
        ValueError: As in `spread`, or an outcome lies outside [0, 1].
    """
    values, in_draw = table(outcomes, present)
    if values.min() < 0 or values.max() > 1:
        raise ValueError(f"outcomes must lie in [0, 1], got {values.min()} to {values.max()}")
    draws, users = values.shape
    total, n = float(values.sum()), int(in_draw.sum())
    rate = min(total / n, 1.0)
    coin = rate * (1 - rate)
    if draws == 1 or users == 1 or coin <= 0:
        return wilson(min(rate * users, users), users, confidence)
    variation = spread(values, in_draw)
    variance = max(variation.variance, NARROWEST * coin / n)
    shrink = (normal_quantile(confidence) / t_quantile(confidence, variation.df)) ** 2
    units = coin / variance * shrink
    return wilson(rate * units, units, confidence)


class Crossed(NamedTuple):
    """Outcomes as a table of draws and users.

    Attributes:
        outcomes: float64 [draw, user], NaN where the user was not in the draw.
        present: bool [draw, user], whether the user was in the draw.
        draws: [draw], the draws' names, sorted.
        users: [user], the users' names, sorted.
    """

    outcomes: Floats
    present: Mask
    draws: npt.NDArray[np.generic]
    users: npt.NDArray[np.generic]


def cross(draws: npt.ArrayLike, users: npt.ArrayLike, outcomes: npt.ArrayLike) -> Crossed:
    """Make a table of a list, such as the rows of one attacker in `users.parquet`.

    Args:
        draws: [row], the draw of each row, such as its seed; any values that can be sorted.
        users: [row], the user of each row. A user has one name in all draws.
        outcomes: float [row], F_u or a rate.

    Raises:
        ValueError: The lengths differ, there are no rows, or a user is twice in a draw.
    """
    of_draw, of_user, values = np.asarray(draws), np.asarray(users), np.asarray(outcomes, np.float64)
    if not of_draw.shape == of_user.shape == values.shape or values.ndim != 1 or values.size == 0:
        raise ValueError(
            "a draw, a user and an outcome for each row are needed, "
            f"got {of_draw.shape}, {of_user.shape} and {values.shape}"
        )
    draw_names, draw = np.unique(of_draw, return_inverse=True)
    user_names, user = np.unique(of_user, return_inverse=True)
    crossed = np.full((draw_names.size, user_names.size), np.nan)
    in_draw = np.zeros(crossed.shape, bool)
    in_draw[draw, user] = True
    if int(in_draw.sum()) != values.size:
        raise ValueError("a user is in one draw twice")
    crossed[draw, user] = values
    return Crossed(crossed, in_draw, draw_names, user_names)


def table(outcomes: npt.ArrayLike, present: npt.ArrayLike | None) -> tuple[Floats, Mask]:
    """Check a table of outcomes: 0 where nobody was present, columns of absent users left out.

    Returns:
        The outcomes, float64 [draw, user], and whether each user was in the draw, bool [draw, user].

    Raises:
        ValueError: As in `spread`.
    """
    values = np.asarray(outcomes)
    if values.ndim != 2 or values.dtype.kind not in "biuf":
        raise ValueError(f"outcomes must be numbers [draw, user], got {values.dtype} {values.shape}")
    values = values.astype(np.float64)
    if present is None:
        in_draw = np.ones(values.shape, bool)
    else:
        in_draw = np.asarray(present)
        if in_draw.dtype != np.bool_ or in_draw.shape != values.shape:
            raise ValueError(f"present must be {values.shape} booleans, got {in_draw.dtype} {in_draw.shape}")
    if not in_draw.any():
        raise ValueError("nobody is present in any draw")
    if not in_draw.any(1).all():
        raise ValueError(f"draw {int(np.argmin(in_draw.any(1)))} has no users")
    if not np.isfinite(values[in_draw]).all():
        raise ValueError("an outcome is not finite: a missing one must not be averaged away")
    if not in_draw.all():
        kept = in_draw.any(0)
        values, in_draw = np.where(in_draw, values, 0.0)[:, kept], in_draw[:, kept]
    return values, in_draw
