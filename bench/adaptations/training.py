"""Training an encoder's network further, on photos of training people that the attacker cloaked itself.

On a CPU the result does not depend on the number of threads: a batch is cut into the same parts everywhere,
each part's gradient is computed on one thread, and the gradients are added in the order of the parts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TypeVar

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from bench.adaptations.head import SCALE
from bench.adaptations.methods import Adversarial, FineTune
from bench.machine.workers import alone, each, exact_gpu
from bench.types import Labels

PART = 8
"""Crops whose gradient is computed at once."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Part:
    """Some crops of a batch.

    Attributes:
        crops: float32 [n, 3, size, size].
        truth: int64 [n], who is on each.
        start: [n, 3, size, size] in [-1, 1], where the search for perturbations starts; None for clean crops.
    """

    crops: torch.Tensor
    truth: torch.Tensor
    start: torch.Tensor | None


def train_network(
    network: nn.Module,
    crops: torch.Tensor,
    people: Labels,
    how: FineTune | Adversarial,
    *,
    seed: int,
    advance: Callable[[int], None] = lambda steps: None,
) -> nn.Module:
    """Train all weights for the steps that are asked for; see `trainer`.

    Returns:
        The network, in eval mode and with frozen weights.
    """
    trainer(network, crops, people, how, seed=seed, advance=advance)(how.steps)
    return network.requires_grad_(False)


def trainer(
    network: nn.Module,
    crops: torch.Tensor,
    people: Labels,
    how: FineTune | Adversarial,
    *,
    seed: int,
    advance: Callable[[int], None] = lambda steps: None,
) -> Callable[[int], None]:
    """What trains all weights so that photos of one person, cloaked or not, are alike.

    Normalised softmax over the people (NormFace, Wang et al. 2017), with one learned direction each. For
    `Adversarial`, every batch is half clean and half perturbed within the radius, in the direction that
    takes each crop furthest from its person (projected gradient, Madry et al. 2018).

    Args:
        network: [n, 3, size, size] in [0, 1] -> [n, dimensions]; changed in place, and left in eval mode.
        crops: float32 [n, 3, size, size], on the network's device.
        people: int [n].
        how: which of the two, and its parameters but for `steps`.
        seed: of the order of the photos and of the perturbations' starts.
        advance: told of every step.

    Returns:
        A function that takes a number of steps more, in which the rate rises and falls once. It raises
        FloatingPointError if the loss or a weight is no longer finite.

    Raises:
        ValueError: for fewer than two people.
    """
    names, owners = np.unique(people, return_inverse=True)
    if names.size < 2:
        raise ValueError(f"a network is trained on two people or more, not on {names.size}")
    draw = torch.Generator().manual_seed(seed)
    truth = torch.from_numpy(owners).to(crops.device)
    network.eval().requires_grad_(True)  # statistics of batches stay as they were learned
    with exact_gpu():
        centres = mean_embeddings(network, crops, truth, names.size).requires_grad_(True)
    weights = [*network.parameters(), centres]
    optimiser = torch.optim.Adam(weights, lr=how.rate)

    def gradient(part: Part) -> tuple[torch.Tensor, ...]:
        shown = part.crops
        if isinstance(how, Adversarial) and part.start is not None:
            shown = perturbed(network, shown, part.truth, centres, how, part.start)
        loss = _loss(network(shown), part.truth, centres)
        if not math.isfinite(loss.item()):
            raise FloatingPointError(f"its loss is {loss.item()}")
        return torch.autograd.grad(loss, weights)

    def update(gradients: Sequence[tuple[torch.Tensor, ...]], batch: int) -> None:
        for weight, *parts in zip(weights, *gradients, strict=True):
            weight.grad = torch.stack(parts).sum(0) / batch
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()

    def take(steps: int) -> None:
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, how.rate, total_steps=steps + 1)
        with exact_gpu():
            for _ in range(steps):
                parts = _parts(crops, truth, how, draw)
                gradients, batch = in_parts(gradient, parts), sum(len(part.crops) for part in parts)
                alone(partial(update, gradients, batch))
                schedule.step()
                advance(1)
        if not all(bool(torch.isfinite(weight).all()) for weight in weights):
            raise FloatingPointError("its weights are not finite")

    return take


def in_parts(function: Callable[[Part], Result], parts: Sequence[Part]) -> list[Result]:
    """What a function gives for each part: on a CPU several at once, each on one thread."""
    if all(part.crops.device.type == "cpu" for part in parts):
        return each(function, parts)
    return [function(part) for part in parts]


def mean_embeddings(
    network: nn.Module, crops: torch.Tensor, truth: torch.Tensor, people: int
) -> torch.Tensor:
    """The people's summed unit embeddings, [people, dimensions]: where their directions start.

    Args:
        network: [n, 3, size, size] in [0, 1] -> [n, dimensions].
        crops: float32 [n, 3, size, size].
        truth: int64 [n], who is on each.
        people: How many people there are.
    """

    def embedded(part: Part) -> torch.Tensor:
        with torch.no_grad():
            return functional.normalize(network(part.crops))

    rows = torch.cat(in_parts(embedded, cut(crops, truth, None)))
    return torch.zeros(people, rows.shape[1], device=rows.device).index_add_(0, truth, rows)


def perturbed(
    network: nn.Module,
    crops: torch.Tensor,
    truth: torch.Tensor,
    centres: torch.Tensor,
    how: Adversarial,
    start: torch.Tensor,
) -> torch.Tensor:
    """Crops moved within the radius, away from their people.

    Args:
        network: [n, 3, size, size] in [0, 1] -> [n, dimensions].
        crops: float32 [n, 3, size, size] in [0, 1].
        truth: int64 [n], who is on each.
        centres: [people, dimensions], a direction each.
        how: The radius, and the number of steps.
        start: [n, 3, size, size] in [-1, 1], where in the radius to start.

    Returns:
        float32 [n, 3, size, size] in [0, 1], at most the radius away from the crops.
    """
    radius = how.radius / 255
    moved = (crops + radius * start).clamp(0, 1)
    for _ in range(how.inner):
        moved = moved.detach().requires_grad_(True)
        loss = _loss(network(moved), truth, centres.detach())
        (slope,) = torch.autograd.grad(loss, moved)
        step = moved + 1.5 * radius / how.inner * slope.sign()
        moved = torch.minimum(torch.maximum(step, crops - radius), crops + radius).clamp(0, 1)
    return moved.detach()


def drawn(crops: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
    """Where the search for perturbations of crops starts: uniform in [-1, 1]."""
    return (2 * torch.rand(crops.shape, generator=draw) - 1).to(crops.device)


def _parts(
    crops: torch.Tensor, truth: torch.Tensor, how: FineTune | Adversarial, draw: torch.Generator
) -> list[Part]:
    """A batch, drawn and cut: of `Adversarial` the first half is to be perturbed."""
    chosen = torch.randint(len(crops), (min(how.batch, len(crops)),), generator=draw).to(crops.device)
    shown, target = crops[chosen], truth[chosen]
    half = len(shown) // 2 if isinstance(how, Adversarial) else 0
    start = drawn(shown[:half], draw) if half else None
    return [*cut(shown[:half], target[:half], start), *cut(shown[half:], target[half:], None)]


def cut(crops: torch.Tensor, truth: torch.Tensor, start: torch.Tensor | None) -> list[Part]:
    """Crops [n, 3, size, size], their people [n] and perhaps their starts, in parts of at most `PART`."""
    ends = [*range(0, len(crops), PART), len(crops)]
    return [Part(crops[a:b], truth[a:b], None if start is None else start[a:b]) for a, b in pairwise(ends)]


def _loss(raw: torch.Tensor, truth: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
    """Summed over crops."""
    cosines = functional.normalize(raw) @ functional.normalize(centres).T
    return functional.cross_entropy(SCALE * cosines, truth, reduction="sum")
