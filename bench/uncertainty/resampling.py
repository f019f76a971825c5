"""The hierarchical bootstrap: users and draws are resampled, embeddings and clusterings are not.

A user is never copied into a corpus: copies would form clusters. What is resampled are stored outcomes, F_u
by attacker, draw and user, with one set of weights for every attacker and every defense, so that what they
share cancels in a difference and a maximum over attackers can be taken inside each replicate.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from bench.types import Floats, Mask
from bench.uncertainty.intervals import NARROWEST, Interval, normal_quantile, spread, t_quantile, table

_BOOTSTRAP = 0xB007
"""Keeps this module's random numbers apart from others made of the same seed."""


def bootstrap_means(
    outcomes: npt.ArrayLike,
    present: npt.ArrayLike | None = None,
    *,
    replicates: int = 2000,
    seed: int = 0,
) -> Floats:
    """Mean outcome of every attacker in every replicate, users and draws resampled with replacement.

    The weights of a (draw, user) pair are the product of how often its draw and how often its user was
    taken (the pigeonhole bootstrap, Owen 2007), and the same for all attackers. With one draw only users
    are resampled. It depends on `seed`, the shape and `present` alone, so that two calls over the same
    users and draws are paired.

    Args:
        outcomes: [attacker, draw, user], numbers.
        present: bool [draw, user], which users were in which draw; by default all in all.
        replicates: how many.
        seed: any whole number >= 0.

    Returns:
        [replicate, attacker]. Replicates in which no taken user was in a taken draw are left out.

    Raises:
        ValueError: for other shapes, and as in `bench.uncertainty.intervals.spread`.
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


def percentile(replicates: npt.ArrayLike, confidence: float = 0.95) -> Interval:
    """The plain percentile interval (Efron 1979) of a statistic's replicates.

    With few draws it is too narrow, and for a maximum over attackers that are about equally strong it lies
    too high: figures in `docs/statistics.md`. `rescaled` mends both. After zero events it is [0, 0].

    Raises:
        ValueError: for no replicates, or ones that are not finite.
    """
    values = _replicates(replicates)
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    low, high = np.quantile(values, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return Interval(float(low), float(high))


def rescaled(
    estimate: float, replicates: npt.ArrayLike, stretch: float, confidence: float = 0.95
) -> tuple[float, Interval]:
    """A bootstrap interval freed of bias and made as wide as few draws demand.

    The replicates' mean less the estimate is the bootstrap's estimate of bias (Efron and Tibshirani 1993,
    equation 10.2): a maximum of noisy rates is above the largest rate, and the maximum of replicates is above
    that again. Their quantiles, measured from their mean and stretched, are put around the estimate less the
    bias.

    Args:
        estimate: the statistic on the data.
        replicates: [replicate] of it.
        stretch: from `stretch`.
        confidence: two-sided.

    Returns:
        The bias, and the interval; its ends are not confined to anything.

    Raises:
        ValueError: as in `percentile`.
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
    confidence: float = 0.95,
) -> float:
    """How much wider than their own quantiles replicates of a mean should be read.

    The bootstrap of R draws sees (R - 1)/R of the variance between them, counts the rest of the variance more
    than once, and knows nothing of Student's t. All three are put right by the ratio of t times the standard
    error of `bench.uncertainty.intervals.spread` to the normal quantile times the replicates' own.

    Args:
        outcomes: [draw, user] of the mean.
        replicates: [replicate] of that mean.
        present: bool [draw, user].
        confidence: two-sided.

    Returns:
        1 where nothing varies.

    Raises:
        ValueError: as in `percentile` and `spread`.
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
    """Outcomes [attacker, draw, user] with 0 where nobody was present, and who was, as `table` checks them.

    Raises:
        ValueError: for other shapes, no attackers, and as in `bench.uncertainty.intervals.spread`.
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
