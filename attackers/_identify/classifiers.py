"""Linear classifiers of thousands of people, trained for all of them at once.

Every person has a weight vector; one loss over all people and a ridge are minimised. The loss is convex, so
that L-BFGS (Liu and Nocedal 1989) finds the optimum. It works in coordinates in which the ridge and the
loss's own curvature together are near the identity: there it needs tens of steps instead of hundreds. The
optimum lies in the span of the photos, so that there are no more coordinates than photos.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from bench.types import Ints

from .._embeddings.rows import Floats32, block_rows

Loss = Callable[[Floats32, Ints], tuple[float, Floats32]]
"""Scores [photo, person] and the person on each photo -> the sum of the photos' losses, its derivative."""


def softmax_loss(scores: Floats32, person: Ints) -> tuple[float, Floats32]:
    """The cross-entropy of multinomial logistic regression: -log of the probability of the right person."""
    rows = np.arange(len(scores))
    scores -= scores.max(axis=1, keepdims=True)
    right = scores[rows, person].astype(np.float64)
    np.exp(scores, out=scores)
    total = scores.sum(axis=1, keepdims=True)
    loss = float((np.log(total[:, 0], dtype=np.float64) - right).sum())
    scores /= total
    scores[rows, person] -= 1
    return loss, scores


def squared_hinge_loss(scores: Floats32, person: Ints) -> tuple[float, Floats32]:
    """Each person against all others: max(0, 1 - margin)^2, summed over photos and people."""
    rows = np.arange(len(scores))
    own = np.maximum(1 - scores[rows, person], 0)
    scores += 1
    np.maximum(scores, 0, out=scores)  # how far the scores of the wrong people lie above -1
    scores[rows, person] = -own
    loss = float(np.einsum("ij,ij->i", scores, scores).sum(dtype=np.float64))
    scores *= 2
    return loss, scores


def train(
    features: Floats32, person: Ints, people: int, c: float, loss: Loss, curvature: float, steps: int
) -> Floats32:
    """The weights [feature, person] that minimise |weights|^2 / 2 + c * loss.

    Args:
        features: [photo, feature].
        person: int [photo], the person on each photo.
        people: The number of people.
        c: The weight of the loss; a larger weight fits the photos more closely.
        loss: A convex loss.
        curvature: The approximate second derivative of the loss in a score. It decides the number of steps
            that are needed, and nothing else.
        steps: The number of steps of L-BFGS, at most. It stops earlier if a step gains less than a
            hundred-thousandth.
    """
    span, strength = _axes(features)
    scale = 1 / np.sqrt(c * curvature * strength + 1)
    axes = np.asarray(span * scale, np.float32)
    inputs = np.asarray(features @ axes, np.float32)
    ridge = np.asarray(scale**2, np.float32)[:, None]
    shape = (axes.shape[1], people)
    step = block_rows(people)

    def objective(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        weights = np.asarray(flat.reshape(shape), np.float32)
        shrunk = weights * ridge
        value = 0.5 * float(np.einsum("ij,ij->i", weights, shrunk).sum(dtype=np.float64))
        gradient = shrunk.astype(np.float64)
        for start in range(0, len(inputs), step):  # a part fits in a cache
            part = slice(start, start + step)
            part_loss, slope = loss(inputs[part] @ weights, person[part])
            value += c * part_loss
            gradient += np.float32(c) * (inputs[part].T @ slope)
        return value, gradient.ravel()

    from scipy.optimize import minimize

    optimum = minimize(
        objective,
        np.zeros(shape[0] * people),
        method="L-BFGS-B",
        jac=True,
        options={"maxiter": steps, "maxcor": 10, "ftol": 1e-5, "gtol": 0},
    )
    return np.asarray(axes @ optimum.x.reshape(shape).astype(np.float32), np.float32)


def _axes(features: Floats32) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The orthonormal axes of the features' span [feature, axis], and the sum of squares along each axis."""
    wide = features.shape[1] > features.shape[0]
    exact = features.astype(np.float64)
    strength, vectors = np.linalg.eigh(exact @ exact.T if wide else exact.T @ exact)
    kept = strength > strength[-1] * 1e-9
    strength, vectors = strength[kept], vectors[:, kept]
    return (exact.T @ vectors / np.sqrt(strength) if wide else vectors), strength
