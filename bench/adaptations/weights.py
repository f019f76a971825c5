"""Weights of an ensemble's members, chosen on the attacker's own cloaks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bench.adaptations.ensembles import product
from bench.types import Labels, Mask

Vectors = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

FAR = 1e-3
"""The share of pairs of different people that may be taken for one person."""

ROUNDS = 20
"""Votes that are given: weights are multiples of at least a twentieth."""


def fit_weights(members: Sequence[Vectors], people: Labels, cloaked: Mask) -> Floats:
    """Weights of cosines under which most pairs of one person, one photo of them cloaked at least, are told.

    Ensemble selection (Caruana et al., ICML 2004): round after round the member gets a vote that helps most,
    and the best of all rounds is kept. The measure is the share of these pairs above the threshold that a
    share of `FAR` of all pairs of different people exceeds. So the weights are at least as good as the best
    single member's, and as equal ones, on the people whom they are chosen on.

    Args:
        members: For each member [photo, dimensions], unit rows.
        people: int64 [photo], who is on each; only those who have a cloaked photo are looked at.
        cloaked: bool [photo].

    Returns:
        float64 [member], at least 0, 1 in all.

    Raises:
        ValueError: Fewer than two people have cloaked photos, or none has two photos.
    """
    shown = np.isin(people, people[cloaked])
    first, second = np.triu_indices(int(shown.sum()), 1)
    owners, cloaks = people[shown], cloaked[shown]
    same = owners[first] == owners[second]
    genuine = same & (cloaks[first] | cloaks[second])
    if not genuine.any() or same.all():
        raise ValueError("weights are chosen on cloaked photos of two people or more, and there are too few")
    cosines = [_cosines(member[shown])[first, second] for member in members]
    return _voted(np.stack([c[genuine] for c in cosines]), np.stack([c[~same] for c in cosines]))


def _voted(genuine: Floats, impostor: Floats) -> Floats:
    """Weights from cosines of pairs: [member, pair] of one person, and of two."""
    members, allowed = len(genuine), max(1, round(FAR * impostor.shape[1]))

    def told(weights: Floats) -> float:
        threshold = np.partition(_mixed(weights, impostor), -allowed)[-allowed]
        return float((_mixed(weights, genuine) > threshold).mean())

    votes = np.zeros(members)
    best = np.full(members, 1 / members)
    most = told(best)
    for given in range(ROUNDS):
        choices = [(votes + vote) / (given + 1) for vote in np.eye(members)]
        scores = [told(weights) for weights in choices]
        votes[int(np.argmax(scores))] += 1
        if max(scores) > most:
            most, best = max(scores), votes / (given + 1)
    return best


def _mixed(weights: Floats, cosines: Floats) -> Floats:
    """The ensemble's cosines; no BLAS, which might add on several threads."""
    mixed: Floats = np.einsum("m,mp->p", weights, cosines)
    return mixed


def _cosines(rows: Vectors) -> Floats:
    """Cosines of all pairs: float64 [photo, photo]."""
    return product(rows, np.ascontiguousarray(rows.T)).astype(np.float64)
