"""Logistic regression of few features over many pairs, with the same bits whatever the number of threads."""

from __future__ import annotations

import numpy as np

from bench.types import Floats, Mask

_STEPS = 100
_RIDGE = 1.0


def fitted_weights(features: Floats, same: Mask) -> Floats:
    """The weights of each feature, and last the intercept, that make what is known likeliest.

    Newton's method on the sum over pairs of the logistic loss, plus half the squared weights of standardised
    features. Products are sums in a fixed order (no BLAS).

    Args:
        features: float64 [pair, feature].
        same: bool [pair], what is to be told from the features.

    Returns:
        float64 [feature + 1]; the probability of a pair is `probabilities(features, weights)`.
    """
    mean = features.mean(axis=0)
    spread = features.std(axis=0)
    spread[spread < 1e-12] = 1.0
    inputs = np.concatenate([(features - mean) / spread, np.ones((len(features), 1))], axis=1)
    weights = np.zeros(inputs.shape[1])
    loss = _loss(inputs, same, weights)
    for _ in range(_STEPS):
        likely = _sigmoid(np.einsum("ij,j->i", inputs, weights))
        slope = np.einsum("ij,i->j", inputs, likely - same) + _RIDGE * weights
        curvature = np.einsum("ij,i,ik->jk", inputs, likely * (1 - likely), inputs)
        step = np.linalg.solve(curvature + _RIDGE * np.eye(weights.size), slope)
        size = 1.0
        while size > 1e-6 and _loss(inputs, same, weights - size * step) > loss:
            size /= 2
        weights = weights - size * step
        before, loss = loss, _loss(inputs, same, weights)
        if before - loss < 1e-9 * max(1.0, loss):
            break
    scaled = weights[:-1] / spread
    return np.append(scaled, weights[-1] - (scaled * mean).sum())


def probabilities(features: Floats, weights: Floats) -> Floats:
    """How likely each pair is, in [0, 1].

    Args:
        features: float64 [pair, feature].
        weights: float64 [feature + 1], the intercept last.
    """
    return _sigmoid(np.einsum("ij,j->i", features, weights[:-1]) + weights[-1])


def _sigmoid(score: Floats) -> Floats:
    return 1 / (1 + np.exp(-np.clip(score, -500, 500)))


def _loss(inputs: Floats, same: Mask, weights: Floats) -> float:
    score = np.einsum("ij,j->i", inputs, weights)
    return float(np.logaddexp(0, np.where(same, -score, score)).sum() + _RIDGE / 2 * (weights**2).sum())
