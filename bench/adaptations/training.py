"""Training an encoder's network further, on photos of calibration people that the attacker cloaked itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from bench.adaptations.head import SCALE
from bench.adaptations.methods import Adversarial, FineTune
from bench.machine.workers import exact_gpu
from bench.types import Labels


def train_network(
    network: nn.Module,
    crops: torch.Tensor,
    people: Labels,
    how: FineTune | Adversarial,
    *,
    seed: int,
    advance: Callable[[int], None] = lambda steps: None,
) -> nn.Module:
    """Train all weights so that photos of one person, cloaked or not, are alike.

    Normalised softmax over the people (NormFace, Wang et al. 2017), with one learned direction each. For
    `Adversarial`, every batch is half clean and half perturbed within the radius, in the direction that
    takes each crop furthest from its person (projected gradient, Madry et al. 2018).

    Args:
        network: [n, 3, size, size] in [0, 1] -> [n, dimensions]; changed in place.
        crops: float32 [n, 3, size, size], on the network's device.
        people: int [n].
        how: which of the two, and its parameters.
        seed: of the order of the photos and of the perturbations' starts.
        advance: told of every step.

    Returns:
        The network, in eval mode and with frozen weights.

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
        centres = _centres(network, crops, truth, names.size).requires_grad_(True)
        optimiser = torch.optim.Adam([*network.parameters(), centres], lr=how.rate)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, how.rate, total_steps=how.steps + 1)
        for _ in range(how.steps):
            chosen = torch.randint(len(crops), (min(how.batch, len(crops)),), generator=draw)
            shown, target = crops[chosen.to(crops.device)], truth[chosen.to(crops.device)]
            if isinstance(how, Adversarial):
                half = len(shown) // 2
                moved = _perturbed(network, shown[:half], target[:half], centres, how, draw)
                shown = torch.cat([moved, shown[half:]])
            loss = _loss(network(shown), target, centres)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            advance(1)
    return network.requires_grad_(False)


def _loss(raw: torch.Tensor, truth: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
    cosines = functional.normalize(raw) @ functional.normalize(centres).T
    return functional.cross_entropy(SCALE * cosines, truth)


def _centres(network: nn.Module, crops: torch.Tensor, truth: torch.Tensor, people: int) -> torch.Tensor:
    """The people's mean embeddings: where their directions start."""
    with torch.no_grad():
        rows = torch.cat([functional.normalize(network(part)) for part in crops.split(64)])
        return torch.zeros(people, rows.shape[1], device=rows.device).index_add_(0, truth, rows)


def _perturbed(
    network: nn.Module,
    crops: torch.Tensor,
    truth: torch.Tensor,
    centres: torch.Tensor,
    how: Adversarial,
    draw: torch.Generator,
) -> torch.Tensor:
    radius = how.radius / 255
    start = torch.rand(crops.shape, generator=draw).to(crops.device)
    moved = (crops + radius * (2 * start - 1)).clamp(0, 1)
    for _ in range(how.inner):
        moved = moved.detach().requires_grad_(True)
        loss = _loss(network(moved), truth, centres.detach())
        (slope,) = torch.autograd.grad(loss, moved)
        step = moved + 1.5 * radius / how.inner * slope.sign()
        moved = torch.minimum(torch.maximum(step, crops - radius), crops + radius).clamp(0, 1)
    return moved.detach()
