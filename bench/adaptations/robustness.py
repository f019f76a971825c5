"""How well a network names people whom it was not trained on, on clean and on perturbed photos of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.types import Labels, Mask

if TYPE_CHECKING:
    import torch
    from torch import nn

    from bench.adaptations.methods import Adversarial

MOST = 16
"""The most people who are held out."""

LEAST = 6
"""With fewer people of two photos or more nobody is held out: too few would be left to train on."""


@dataclass(frozen=True)
class Robustness:
    """What adversarial training did to a network, on people who were held out.

    Attributes:
        people: How many people were held out.
        photos: How many of their photos were named; the others were enrolled.
        clean_before: The share of clean photos that the network named rightly before its training, in [0, 1].
        perturbed_before: Likewise of photos that were perturbed as in training, against this network.
        clean: Likewise of clean photos after the training.
        perturbed: Likewise of perturbed photos after the training, the perturbations made anew.
    """

    people: int
    photos: int
    clean_before: float
    perturbed_before: float
    clean: float
    perturbed: float


def held_out(people: Labels) -> Mask:
    """Which photos are of people who are not trained on: bool [photo].

    A fifth of those with two photos or more, at least two and at most `MOST`, evenly over their numbers; none
    where fewer than `LEAST` have two photos.

    Args:
        people: int [photo], who is on each.
    """
    names, counts = np.unique(people, return_counts=True)
    several = names[counts >= 2]
    if len(several) < LEAST:
        return np.zeros(len(people), bool)
    count = min(MOST, max(2, len(several) // 5))
    return np.isin(people, several[np.linspace(0, len(several) - 1, count).round().astype(int)])


def accuracies(
    network: nn.Module, crops: torch.Tensor, people: Labels, how: Adversarial, *, seed: int
) -> tuple[float, float, int]:
    """The shares of photos that a network names rightly: clean, and perturbed within the radius of training.

    The first half of each person's photos is enrolled. Each other photo is named as the person with the
    nearest mean of enrolled embeddings. Perturbations take it away from its own person's.

    Args:
        network: [n, 3, size, size] in [0, 1] -> [n, dimensions], in eval mode.
        crops: float32 [n, 3, size, size], on the network's device.
        people: int [n], two photos or more of each.
        how: The radius and the steps of the perturbations.
        seed: Of the perturbations' starts.

    Returns:
        The share of clean photos, the share of perturbed ones, and how many photos were named.
    """
    import torch
    from torch.nn import functional

    from bench.adaptations.training import Part, cut, drawn, in_parts, mean_embeddings, perturbed
    from bench.machine.workers import exact_gpu

    names, owners = np.unique(people, return_inverse=True)
    enrolled = np.zeros(len(people), bool)
    for person in range(len(names)):
        own = np.flatnonzero(owners == person)
        enrolled[own[: len(own) // 2]] = True
    truth = torch.from_numpy(owners).to(crops.device)
    known, asked = torch.from_numpy(enrolled).to(crops.device), torch.from_numpy(~enrolled).to(crops.device)
    start = drawn(crops[asked], torch.Generator().manual_seed(seed))

    def right(part: Part) -> int:
        assert part.start is not None
        shown = perturbed(network, part.crops, part.truth, centres, how, part.start)
        return _named(network, shown, part.truth, centres)

    with exact_gpu():
        centres = functional.normalize(mean_embeddings(network, crops[known], truth[known], len(names)))
        parts = cut(crops[asked], truth[asked], start)
        clean = sum(in_parts(lambda part: _named(network, part.crops, part.truth, centres), parts))
        moved = sum(in_parts(right, parts))
    photos = int(asked.sum())
    return clean / photos, moved / photos, photos


def _named(network: nn.Module, crops: torch.Tensor, truth: torch.Tensor, centres: torch.Tensor) -> int:
    """How many crops are nearest to their own person's mean."""
    import torch
    from torch.nn import functional

    with torch.no_grad():
        nearest = (functional.normalize(network(crops)) @ centres.T).argmax(1)
    return int((nearest == truth).sum())
