"""A new linear head over frozen embeddings: what an attacker trains who cannot train the network."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from bench.adaptations.methods import Head
from bench.machine.workers import alone
from bench.types import Labels

SCALE = 16.0
"""Of cosines before the softmax, as in NormFace (Wang et al. 2017)."""

_NEAR = 1e-3  # weight of staying near the encoder's own space: few people must not undo what many taught


def train_head(
    embeddings: npt.NDArray[np.float32], people: Labels, how: Head, *, seed: int
) -> npt.NDArray[np.float32]:
    """Learn a linear map after which photos of one person, cloaked or not, are alike.

    Normalised softmax over the people (NormFace, Wang et al. 2017), with one learned direction each, started
    at the identity and at the people's mean embeddings.

    Args:
        embeddings: [photo, dimensions], unit rows.
        people: int [photo].
        how: steps, rate and the new dimensions.
        seed: of the random map where the dimensions change.

    Returns:
        [dimensions, new dimensions]; rows times it, made unit again, are the new embeddings.

    Raises:
        ValueError: for fewer than two people.
        FloatingPointError: if the map is no longer finite.
    """
    names, owners = np.unique(people, return_inverse=True)
    if names.size < 2:
        raise ValueError(f"a head is learned on two people or more, not on {names.size}")
    learned = alone(lambda: _learned(embeddings, owners, names.size, how, seed))
    if not np.isfinite(learned).all():
        raise FloatingPointError("what it learns is not finite")
    return learned


def _learned(
    embeddings: npt.NDArray[np.float32], owners: Labels, people: int, how: Head, seed: int
) -> npt.NDArray[np.float32]:
    rows, truth = torch.from_numpy(embeddings), torch.from_numpy(owners)
    width = how.dimensions or rows.shape[1]
    start = torch.eye(rows.shape[1], width)
    if width < rows.shape[1]:
        # a random rotation, cut off: no direction of the old space is left out on purpose
        draw = torch.Generator().manual_seed(seed)
        start = torch.linalg.qr(torch.randn(rows.shape[1], rows.shape[1], generator=draw))[0][:, :width]
    matrix = start.clone().requires_grad_(True)
    means = torch.zeros(people, rows.shape[1]).index_add_(0, truth, rows)
    centres = functional.normalize(means @ start).requires_grad_(True)
    optimiser = torch.optim.Adam([matrix, centres], lr=how.rate)
    for _ in range(how.steps):
        cosines = functional.normalize(rows @ matrix) @ functional.normalize(centres).T
        loss = functional.cross_entropy(SCALE * cosines, truth)
        loss = loss + _NEAR * (matrix - start).square().sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    learned: npt.NDArray[np.float32] = matrix.detach().numpy()
    return learned
