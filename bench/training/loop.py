"""The training loop: aligned, damaged crops, a margin loss over the training identities, one schedule."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name every torch program uses
from torch import nn

from bench.encoders.families.synth.nets import DIMENSIONS
from bench.training.augment import augment
from bench.training.crops import cut, mistaken
from bench.training.photos import Photos

_EVERY = 100
"""The steps between two looks at the clock. A look also costs a wait for the device."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """The settings of a training.

    Attributes:
        steps: The number of batches, unless the clock shortens the schedule.
        minutes: The wall clock for the whole schedule; None for as long as it takes.
        batch: The crops of a step.
        rate: The largest learning rate of AdamW.
        decay: The weight decay of matrices and filters.
        margin: The margin of the cosine margin loss, reached after 40 % of the schedule.
        scale: The scale of its logits.
        bf16: Whether the network runs in bfloat16 while training (weights and loss stay float32).
    """

    steps: int
    minutes: float | None = None
    batch: int = 512
    rate: float = 3e-3
    decay: float = 0.05
    margin: float = 0.35
    scale: float = 32.0
    bf16: bool = True


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a training.

    Attributes:
        steps: The batches seen.
        samples: The crops seen.
        shortened: Whether the clock shortened the schedule.
        seconds: The wall clock.
        losses: The mean loss of every 100 steps (and of the rest).
    """

    steps: int
    samples: int
    shortened: bool
    seconds: float
    losses: tuple[float, ...]


class MarginLoss(nn.Module):
    """Cross-entropy over cosines with one learned direction a person. The own cosine is lowered by a margin.

    Source: CosFace (Wang et al. 2018), equation 4.
    """

    def __init__(self, people: int, scale: float) -> None:
        super().__init__()
        self.directions = nn.Parameter(torch.randn(people, DIMENSIONS) * 0.1)
        self.scale = scale

    def forward(self, embeddings: torch.Tensor, people: torch.Tensor, margin: float) -> torch.Tensor:
        """The mean loss of embeddings [n, DIMENSIONS] (of any length) of people int64 [n]."""
        cosines = F.normalize(embeddings.float(), dim=1) @ F.normalize(self.directions, dim=1).T
        own = margin * F.one_hot(people, cosines.shape[1])
        return F.cross_entropy(self.scale * (cosines - own), people)


def affordable(step: int, planned: int, left: float, pace: float) -> int:
    """The number of steps that the schedule can have if the rest keeps the pace of the last steps.

    Args:
        step: The steps done.
        planned: The steps without a clock.
        left: The seconds left.
        pace: The recent seconds a step.

    Returns:
        At least `step`, at most `planned`.
    """
    return max(step, min(planned, step + math.floor(max(left, 0.0) / pace)))


def train(
    net: nn.Module,
    photos: Photos,
    recipe: Recipe,
    *,
    seed: int,
    device: str,
    report: Callable[[str], None] = lambda _: None,
    keep: Callable[[nn.Module], None] = lambda _: None,
) -> Report:
    """Train a network in place.

    On the CPU the same seed gives the same weights. If the clock says that the schedule will not fit, the
    schedule is shortened, so that the learning rate still ends at zero.

    Args:
        net: The network, on any device; it is moved.
        photos: Photos of the training identities.
        recipe: The settings.
        seed: The seed of the batches, the landmarks' errors, the damage and the loss's directions.
        device: The device.
        report: Called with progress.
        keep: Called with the network now and then, to save its state.

    Raises:
        FloatingPointError: The loss is no longer finite.
    """
    began = time.monotonic()
    device_seed, host_seed, loss_seed = np.random.SeedSequence(seed).generate_state(3).tolist()
    generator = torch.Generator(device).manual_seed(device_seed)
    rng = np.random.Generator(np.random.Philox(host_seed))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(loss_seed)
        loss_of = MarginLoss(photos.identities[1] - photos.identities[0] + 1, recipe.scale).to(device)
    net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
    net.train()
    pixels, landmarks = _on_device(photos, device)
    people = torch.from_numpy(photos.people).to(device)
    optimizer = torch.optim.AdamW(_groups([net, loss_of], recipe.decay), recipe.rate)
    total = torch.zeros((), device=device)
    losses: list[float] = []
    step, steps, looks = 0, recipe.steps, [(0, time.monotonic() - began)]
    while step < steps:
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate * _pace(step, steps)
        picked = torch.randint(len(people), (recipe.batch,), generator=generator, device=device)
        where = picked.to(pixels.device)
        faces = mistaken(landmarks[picked], generator)
        crops = augment(cut(pixels[where].to(device), faces), generator, rng)
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=recipe.bf16):
            embeddings = net(crops)
        loss = loss_of(embeddings, people[picked], recipe.margin * _ramp(step, steps))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        total += loss.detach()
        step += 1
        if step % _EVERY == 0 or step == steps:
            mean = total.item() / ((step - 1) % _EVERY + 1)
            if not math.isfinite(mean):
                raise FloatingPointError(f"the loss is {mean} after {step} steps")
            losses.append(mean)
            total.zero_()
            looks.append((step, time.monotonic() - began))
            done, seconds = step - looks[-6:][0][0], looks[-1][1]
            pace = (seconds - looks[-6:][0][1]) / done
            if recipe.minutes is not None:
                steps = affordable(step, recipe.steps, recipe.minutes * 60 - seconds, pace)
            if step % (5 * _EVERY) == 0:
                keep(net)
                report(
                    f"step {step} of {steps}, {seconds:.0f} s, {recipe.batch / pace:.0f}/s, loss {mean:.3f}"
                )
    seconds = time.monotonic() - began
    return Report(step, step * recipe.batch, steps < recipe.steps, seconds, tuple(losses))


def _on_device(photos: Photos, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The pixels in an accelerator's memory or in the mapped file, and the landmarks on the device."""
    landmarks = torch.from_numpy(photos.landmarks).to(device)
    if torch.device(device).type == "cpu":
        return torch.from_numpy(photos.pixels), landmarks
    pixels = torch.empty(photos.pixels.shape, dtype=torch.uint8, device=device)
    for start in range(0, len(pixels), 4096):
        pixels[start : start + 4096] = torch.from_numpy(photos.pixels[start : start + 4096]).to(device)
    return pixels, landmarks


def _groups(modules: list[nn.Module], decay: float) -> list[dict[str, object]]:
    """Weight decay for matrices and filters, and none for biases, norms, slopes and the loss's directions."""
    parameters = [(name, p) for module in modules for name, p in module.named_parameters()]
    free = [p for name, p in parameters if p.ndim < 2 or name in ("directions", "position")]
    held = [p for name, p in parameters if not (p.ndim < 2 or name in ("directions", "position"))]
    return [{"params": held, "weight_decay": decay}, {"params": free, "weight_decay": 0.0}]


def _pace(step: int, steps: int) -> float:
    """The learning rate over its largest: linear warm-up over 5 %, then half a cosine down to zero."""
    warm = max(1, steps // 20)
    if step < warm:
        return (step + 1) / warm
    return 0.5 + 0.5 * math.cos(math.pi * (step - warm) / max(1, steps - warm))


def _ramp(step: int, steps: int) -> float:
    """The margin over its largest: none for 10 %, all of it from 40 % on."""
    return min(1.0, max(0.0, (step / steps - 0.1) / 0.3))
