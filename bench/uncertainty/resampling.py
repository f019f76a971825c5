"""The hierarchical bootstrap: users and draws are resampled, embeddings and clusterings are not.

A user is never copied into a corpus, because copies would form clusters. The bootstrap resamples stored
outcomes: F_u by attacker, draw and user. One set of weights serves every attacker and every defense, so that
what they share cancels in a difference, and a maximum over attackers can be taken inside each replicate.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from bench.types import Floats, Mask
from bench.uncertainty.intervals import (
    CONFIDENCE,
    NARROWEST,
    Interval,
    normal_quantile,
    spread,
    t_quantile,
    table,
)

_BOOTSTRAP = 0xB007
"""A constant that keeps this module's random numbers apart from others made of the same seed."""


def bootstrap_means(
    outcomes: npt.ArrayLike,
    present: npt.ArrayLike | None = None,
    *,
    replicates: int = 2000,
    seed: int = 0,
) -> Floats:
    """The mean outcome of every attacker in every replicate; users and draws are resampled with replacement.

    The weight of a (draw, user) pair is the product of two counts: how often its draw was taken and how often
    its user was (the pigeonhole bootstrap, Owen 2007). All attackers have the same weights. With one draw
    only users are resampled. The weights depend on `seed`, the shape and `present` alone, so two calls over
    the same users and draws are paired.

    Args:
        outcomes: float [attacker, draw, user].
        present: bool [draw, user], whether the user was in the draw; by default every user was in every draw.
        replicates: The number of replicates, at least 1.
        seed: The seed of the resampling, a whole number >= 0.

    Returns:
        float64 [replicate, attacker]. Replicates in which no taken user was in a taken draw are left out.

    Raises:
        ValueError: Shapes do not fit, or as in `bench.uncertainty.intervals.spread`.
    """
    values, in_draw = tables(outcomes, present)
    if replicates < 1:
        raise ValueError(f"replicates must be at least 1, got {replicates}")
    attackers, draws, users = values.shape
    taken_draws, taken_users = _weights(draws, users, replicates, seed)
    sums = (values.reshape(-1, users) @ taken_users.T).reshape(attackers, draws, replicates)
    total: Floats = np.einsum("adb,bd->ba", sums, taken_draws)
    if in_draw.all():
        whole: Floats = total / (draws * users)
        return whole
    size = np.einsum("db,bd->b", in_draw.astype(np.float64) @ taken_users.T, taken_draws)
    kept = size > 0
    means: Floats = total[kept] / size[kept, None]
    return means


@lru_cache(maxsize=8)
def _weights(draws: int, users: int, replicates: int, seed: int) -> tuple[Floats, Floats]:
    """How often each replicate takes each draw [replicate, draw] and each user [replicate, user]."""
    stream = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, _BOOTSTRAP, draws, users])))

    def counts(units: int) -> Floats:
        taken = stream.integers(0, units, (replicates, units)) + units * np.arange(replicates)[:, None]
        times = np.bincount(taken.ravel(), minlength=units * replicates).reshape(replicates, units)
        out = times.astype(np.float64)
        out.flags.writeable = False
        return out

    return counts(draws), counts(users)


def percentile(replicates: npt.ArrayLike, confidence: float = CONFIDENCE) -> Interval:
    """The plain percentile interval (Efron 1979) of a statistic's replicates.

    With few draws it is too narrow. For a maximum over attackers of about equal strength it lies too high;
    figures are in `docs/statistics.md`. `rescaled` corrects both. After no events it is [0, 0].

    Args:
        replicates: float [replicate], values of the statistic.
        confidence: The two-sided confidence, in (0, 1).

    Raises:
        ValueError: There are no replicates, or some are not finite.
    """
    values = _replicates(replicates)
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    low, high = np.quantile(values, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return Interval(float(low), float(high))


def rescaled(
    estimate: float, replicates: npt.ArrayLike, stretch: float, confidence: float = CONFIDENCE
) -> tuple[float, Interval]:
    """A bootstrap interval without bias, and as wide as few draws demand.

    The mean of the replicates less the estimate is the bootstrap's estimate of bias (Efron and Tibshirani
    1993, equation 10.2): a maximum of noisy rates lies above the largest rate, and the maximum of replicates
    lies above that again. The replicates' quantiles, measured from their mean and stretched, are put around
    the estimate less the bias.

    Args:
        estimate: The statistic on the data.
        replicates: float [replicate], values of the statistic.
        stretch: The factor from `stretch`.
        confidence: The two-sided confidence, in (0, 1).

    Returns:
        The bias, and the interval. The interval's ends are not confined to [0, 1].

    Raises:
        ValueError: As in `percentile`.
    """
    values = _replicates(replicates)
    mean = float(values.mean())
    low, high = percentile(values, confidence)
    bias = mean - estimate
    middle = estimate - bias
    return bias, Interval(middle + stretch * (low - mean), middle + stretch * (high - mean))


def stretch(
    outcomes: npt.ArrayLike,
    replicates: npt.ArrayLike,
    present: npt.ArrayLike | None = None,
    confidence: float = CONFIDENCE,
) -> float:
    """The factor by which the quantiles of a mean's replicates are too narrow.

    The bootstrap of R draws sees (R - 1)/R of the variance between draws, counts the rest of the variance
    more than once, and does not know Student's t. The factor corrects all three: it is t times the standard
    error of `bench.uncertainty.intervals.spread`, over the normal quantile times the replicates' own standard
    deviation.

    Args:
        outcomes: float [draw, user], the outcomes behind the mean.
        replicates: float [replicate], values of that mean.
        present: bool [draw, user], whether the user was in the draw.
        confidence: The two-sided confidence, in (0, 1).

    Returns:
        The factor; 1 where nothing varies.

    Raises:
        ValueError: As in `percentile` and `spread`.
    """
    values, in_draw = table(outcomes, present)
    drawn = _replicates(replicates)
    own = float(drawn.var())
    if values.shape[1] < 2 or own <= 0:
        return 1.0
    variation = spread(values, in_draw)
    variance = max(variation.variance, NARROWEST * float(values[in_draw].var()) / variation.pairs)
    return t_quantile(confidence, variation.df) / normal_quantile(confidence) * math.sqrt(variance / own)


def tables(outcomes: npt.ArrayLike, present: npt.ArrayLike | None) -> tuple[Floats, Mask]:
    """Check the tables of several attackers as `bench.uncertainty.intervals.table` checks one.

    Returns:
        The outcomes, float64 [attacker, draw, user], and whether each user was in the draw, bool [draw,
            user].

    Raises:
        ValueError: Shapes do not fit, there are no attackers, or as in `bench.uncertainty.intervals.spread`.
    """
    stacked = np.asarray(outcomes)
    if stacked.ndim != 3 or len(stacked) == 0:
        raise ValueError(f"outcomes must be [attacker, draw, user] with an attacker, got {stacked.shape}")
    checked = [table(of_one, present) for of_one in stacked]
    return np.stack([values for values, _ in checked]), checked[0][1]


def _replicates(values: npt.ArrayLike) -> Floats:
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or array.size == 0 or not np.isfinite(array).all():
        raise ValueError(f"replicates must be finite numbers [replicate], got shape {array.shape}")
    return array
