"""Training as long as it pays: judged on cloaks of people who are held out, round after round."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from bench.adaptations.training import cut, in_parts
from bench.machine.workers import alone, exact_gpu
from bench.types import Labels

ROUND = 30
"""Steps between two looks at people who are held out."""

PATIENCE = 2
"""Rounds in a row without a better score, after which the training ends."""

MOST = 20
"""The most rounds."""


@dataclass(frozen=True)
class Curve:
    """How a training went.

    Attributes:
        steps: The steps that had been taken at each look; the first look is before the training.
        score: How well people who were held out were told apart then, see `told_apart`.
        kept: The steps after which the weights were kept: those of the best score, the first of equals.
    """

    steps: list[int]
    score: list[float]
    kept: int


def train_while_it_pays(
    network: nn.Module, train: Callable[[int], None], score: Callable[[], float]
) -> Curve:
    """Train in rounds until `PATIENCE` rounds in a row are no better, and keep the best weights.

    Args:
        network: Changed in place: in the end it has the weights of the best look, which may be those that it
            came with.
        train: Trains the network for some steps more.
        score: How good the network is now; larger is better.
    """
    steps, scores = [0], [score()]
    best, kept = _weights(network), 0
    while len(scores) <= MOST and len(scores) - 1 - scores.index(max(scores)) < PATIENCE:
        train(ROUND)
        steps.append(steps[-1] + ROUND)
        scores.append(score())
        if scores[-1] > max(scores[:-1]):
            best, kept = _weights(network), steps[-1]
    network.load_state_dict(best)
    return Curve(steps, scores, kept)


def told_apart(network: nn.Module, crops: torch.Tensor, people: Labels) -> float:
    """The chance that two photos of one person are more alike than two of different people, in [0, 1].

    This is the area under the ROC curve over all pairs; ties count half.

    Args:
        network: [n, 3, size, size] in [0, 1] -> [n, dimensions], in eval mode.
        crops: float32 [n, 3, size, size], on the network's device.
        people: int [n], who is on each; two people or more, and two photos of one at least.
    """
    owners = torch.from_numpy(people)

    def cosines() -> torch.Tensor:
        return rows @ rows.T

    with exact_gpu(), torch.no_grad():
        parts = in_parts(lambda part: network(part.crops), cut(crops, owners, None))
        rows = functional.normalize(torch.cat(parts)).cpu().double()
    first, second = np.triu_indices(len(people), 1)
    pairs, same = alone(cosines).numpy()[first, second], people[first] == people[second]
    genuine, impostor = pairs[same], np.sort(pairs[~same])
    below = np.searchsorted(impostor, genuine, "left") + np.searchsorted(impostor, genuine, "right")
    return float(below.mean() / (2 * len(impostor)))


def _weights(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}
