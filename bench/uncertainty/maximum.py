"""The largest of many noisy rates, without the bias of having been picked as the largest.

Of a hundred attackers who are equally strong, one comes out far above the others by chance. So the largest
rate lies above the largest true rate. The bootstrap starts from rates that chance has spread already, and so
sees only a part of this. The true rates are therefore estimated together first, as a mixture of any form (its
maximum likelihood, Kiefer and Wolfowitz 1956): rates become equal that chance alone can spread so far. What
the maximum of noisy copies of *these* lies above their own largest is the bias, and its spread is the
uncertainty. `design/010-intervals.md` says how often the interval holds the truth.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bench.types import Floats, Mask
from bench.uncertainty.intervals import (
    CONFIDENCE,
    NARROWEST,
    normal_quantile,
    spread,
    t_quantile,
)

_CAREFUL = 1.25
"""How much larger than it is the noise is taken to be, or chance splits one group of attackers in two."""

_GRID = 60
"""Candidates for the true rates, evenly between the lowest and the largest rate that was seen."""

_STEPS = 150
"""Steps of the EM algorithm that finds the mixture."""


class Maximum(NamedTuple):
    """The largest of several true rates, from what was seen.

    Attributes:
        estimate: the largest rate that was seen, less the bias; at most that rate.
        low: the lower end of its interval.
    """

    estimate: float
    low: float


class Behind(NamedTuple):
    """What stands behind a rate.

    Attributes:
        units: how many independent yes-or-no outcomes would leave the rate as uncertain; the number of users
            for yes-or-no outcomes in one draw, and where nothing varies.
        wider: how much wider than a normal interval its interval is, because few draws are known.
    """

    units: float
    wider: float


def behind(outcomes: Floats, in_draw: Mask, confidence: float = CONFIDENCE) -> Behind:
    """What stands behind the rate of one attacker.

    Args:
        outcomes: float [draw, user], in [0, 1].
        in_draw: bool [draw, user], whether the user was in the draw.
        confidence: of the interval, in (0, 1).
    """
    users = int(in_draw.any(0).sum())
    values = outcomes[in_draw]
    rate = float(values.mean())
    coin = rate * (1 - rate)
    if users < 2 or coin <= 0 or (outcomes.shape[0] == 1 and bool(np.isin(values, (0, 1)).all())):
        return Behind(float(users), 1.0)
    variation = spread(outcomes, in_draw)
    variance = max(variation.variance, NARROWEST * coin / variation.pairs)
    return Behind(coin / variance, t_quantile(confidence, variation.df) / normal_quantile(confidence))


def maximum(rates: Floats, drawn: Floats, known: Behind, confidence: float = CONFIDENCE) -> Maximum:
    """The largest true rate and the lower end of its interval.

    Args:
        rates: float [attacker], in [0, 1].
        drawn: float [replicate, attacker], the same rates of resampled users and draws
            (`bench.uncertainty.resampling.bootstrap_means`).
        known: what stands behind the largest of the rates.
        confidence: the two-sided confidence, in (0, 1).
    """
    units = known.units
    seen, noise = _stretched(rates, units), _noise(drawn, units)
    true = _settled(seen, noise, units)
    above = (true + noise).max(1) - true.max()
    top = int(seen.argmax())
    picked = float(above.mean())
    picked = picked if picked > 1e-9 else 0.0  # one attacker is the strongest in every replicate
    high = picked + known.wider * (float(np.quantile(above, 0.5 + confidence / 2)) - picked)
    largest, less, low = _rate(seen[top] - np.array([0.0, picked, high]), units).tolist()
    return Maximum(float(rates[top]) - max(largest - less, 0.0), low)


def true_rates(rates: Floats, drawn: Floats, known: Behind) -> Floats:
    """Estimates of the true rates, which chance has not spread; in the order of the rates.

    Args:
        rates: float [attacker], in [0, 1].
        drawn: float [replicate, attacker], as in `maximum`.
        known: as in `maximum`.

    Returns:
        float64 [attacker], in [0, 1].
    """
    units = known.units
    return _rate(_settled(_stretched(rates, units), _noise(drawn, units), units), units)


def _stretched(rates: Floats, units: float) -> Floats:
    """Rates on a scale on which all have the same noise, 1 / (2 sqrt(units + 1/2)) (Anscombe 1948)."""
    stretched: Floats = np.arcsin(np.sqrt((rates * units + 3 / 8) / (units + 3 / 4)))
    return stretched


def _rate(stretched: Floats, units: float) -> Floats:
    """What `_stretched` undoes, confined to [0, 1]."""
    squared = np.sin(np.clip(stretched, 0, math.pi / 2)) ** 2
    rates: Floats = np.clip((squared * (units + 3 / 4) - 3 / 8) / units, 0, 1)
    return rates


def _deviation(units: float) -> float:
    return 1 / (2 * math.sqrt(units + 1 / 2))


def _noise(drawn: Floats, units: float) -> Floats:
    """Noise of the stretched rates [replicate, attacker]; it is as alike as the attackers are."""
    away = drawn - drawn.mean(0)
    own = away.std(0)
    flat = own <= 1e-12  # a rate of 0 or 1: resampling says nothing of its noise
    noise: Floats = np.where(flat, 0.0, away / np.where(flat, 1.0, own)) * _deviation(units)
    return noise


def _settled(seen: Floats, noise: Floats, units: float) -> Floats:
    """The true values behind stretched rates: quantiles of their mixture, in the order of the rates."""
    varying = noise.std(0) > 0
    count = int(varying.sum())
    if count < 2 or seen.max() - seen.min() <= 1e-12:
        return seen
    deviation = _deviation(units)
    together = float((noise[:, varying].mean(1) / deviation).var())
    common = min(max((count * together - 1) / (count - 1), 0.0), 1.0)
    apart = _CAREFUL * deviation * math.sqrt(1 - common)
    if apart <= 1e-9:
        return seen
    grid = np.linspace(seen.min(), seen.max(), _GRID)
    likelihood = np.exp(-0.5 * ((seen[:, None] - grid) / apart) ** 2)
    weight = np.full(_GRID, 1 / _GRID)
    for _ in range(_STEPS):
        share = likelihood * weight
        weight = (share / share.sum(1, keepdims=True)).mean(0)
    levels = (np.arange(seen.size) + 0.5) / seen.size
    quantiles = grid[np.minimum(np.searchsorted(np.cumsum(weight), levels), _GRID - 1)]
    true = np.empty_like(seen)
    true[np.argsort(seen, kind="stable")] = quantiles
    return true
