"""A network that an attacker trains to remove cloaks from photos.

The attacker holds photos of calibration people and can run the defense on them, so it has pairs of a cloaked
and a clean photo. The network learns their difference, at half the resolution: `denoiser_networks` has a
small one and a large one. Denoising against adversarial perturbations is from Liao et al., "Defense against
adversarial attacks using high-level representation guided denoiser" (CVPR 2018); this is their pixel-guided
variant. Steps and rates are this project's choice.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import numpy as np
import safetensors.torch
import torch
import torch.nn.functional as F  # noqa: N812 - the name every torch program uses
from torch import nn

from bench.channels.denoiser_networks import NETWORKS, Network
from bench.machine.workers import each, exact_gpu
from bench.types import Image

STEPS = 600
"""The default number of optimiser steps: 9,600 patches."""

TILE = 512
"""The side in pixels of a tile that is computed at once, so that memory does not grow with the photo."""

_BATCH, _SHARDS, _RATE = 16, 4, 1e-3

Pair = tuple[Image, Image, tuple[int, int, int, int]]

_one_on_the_gpu = threading.Lock()  # exact_gpu sets flags of the whole process


def train(
    clean: Sequence[Image],
    cloaked: Sequence[Image],
    *,
    seed: int,
    steps: int = STEPS,
    size: str = "small",
    device: str = "cpu",
    advance: Callable[[int], object] = lambda _: None,
) -> bytes:
    """Learn from pairs to undo a defense.

    On a CPU the result does not depend on the number of threads. A quarter of the patches is clean, because
    the attacker runs the network on its clean photos too, where nothing should be removed.

    Args:
        clean: Photos, uint8 [height, width, 3] each, of any sizes.
        cloaked: The same photos after the defense, in the same order and of the same sizes.
        seed: The seed of the first weights and of the patches.
        steps: The number of optimiser steps; after none the network changes nothing.
        size: A name of `bench.channels.denoiser_networks.NETWORKS`.
        device: `cpu`, `cuda` or `cuda:N`.
        advance: Called after every step.

    Returns:
        The weights as a safetensors file.

    Raises:
        ValueError: There are no photos, or the sizes of a pair differ.
        FloatingPointError: The loss is no longer finite.
    """
    if not clean or [p.shape for p in clean] != [p.shape for p in cloaked]:
        raise ValueError("training needs at least one clean photo and, for each, a cloaked one of its size")
    side = NETWORKS[size].patch
    pairs = [_pair(a, b, side) for a, b in zip(clean, cloaked, strict=True)]
    first, patches = np.random.SeedSequence(seed).spawn(2)
    rng = np.random.Generator(np.random.Philox(patches))
    net = _fresh(size, int(first.generate_state(1)[0])).to(device)
    weights = list(net.parameters())
    optimizer = torch.optim.Adam(weights, _RATE)

    def gradient(shard: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, ...]:
        before, after = (part.to(device).float().div(255) for part in shard)
        loss = F.mse_loss(net(after), after - before) * 255**2
        if not math.isfinite(loss.item()):
            raise FloatingPointError(f"the denoiser's loss is {loss.item()}")
        return torch.autograd.grad(loss, weights)

    with exact_gpu():
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = _RATE * _pace(step, steps)
            shards = _shards(pairs, side, rng)
            # always the same shards, each on one thread, added in order: threads cannot reach the bits
            gradients = each(gradient, shards) if device == "cpu" else [gradient(shard) for shard in shards]
            for weight, *parts in zip(weights, *gradients, strict=True):
                weight.grad = torch.stack(parts).mean(0)
            optimizer.step()
            advance(1)
    return safetensors.torch.save({k: v.detach().cpu().contiguous() for k, v in net.state_dict().items()})


def apply(state: bytes, photo: Image, *, size: str = "small", device: str = "cpu") -> Image:
    """Remove from a photo what the network takes for a cloak.

    Args:
        state: The weights, from `train`.
        photo: uint8 [height, width, 3], of any size.
        size: The network's, as it was trained.
        device: `cpu`, `cuda` or `cuda:N`.

    Returns:
        uint8 [height, width, 3], the same shape.
    """
    if device == "cpu":
        return _applied(_network(state, size, device), photo, device)
    with _one_on_the_gpu, exact_gpu():
        return _applied(_network(state, size, device), photo, device)


def _applied(net: Network, photo: Image, device: str) -> Image:
    out = np.empty_like(photo)
    for rows in _parts(photo.shape[0], net.reach):
        for columns in _parts(photo.shape[1], net.reach):
            (top, bottom, above, below), (left, right, before, behind) = rows, columns
            part = photo[above:below, before:behind]
            done = _tile(net, part, device)
            out[top:bottom, left:right] = done[top - above : bottom - above, left - before : right - before]
    return out


def _parts(side: int, reach: int) -> Iterator[tuple[int, int, int, int]]:
    """Start and end of each tile, and of the pixels that it depends on."""
    for start in range(0, side, TILE):
        end = min(start + TILE, side)
        yield start, end, max(0, start - reach), min(side, end + reach)


def _tile(net: Network, photo: Image, device: str) -> Image:
    height, width = photo.shape[:2]
    whole = np.pad(photo, ((0, -height % net.sides), (0, -width % net.sides), (0, 0)), mode="edge")
    with torch.inference_mode():
        x = _tensor(whole)[None].to(device).float().div(255)
        y = (x - net(x)).clamp(0, 1).mul(255).round().byte()[0]
    return np.ascontiguousarray(y.permute(1, 2, 0).cpu().numpy()[:height, :width])


def _fresh(size: str, seed: int) -> Network:
    """First weights: He's, and zeros where the network begins silent."""
    net, generator = NETWORKS[size](), torch.Generator().manual_seed(seed)
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
    for layer in net.silent():
        nn.init.zeros_(layer.weight)
    return net


@lru_cache(maxsize=2)
def _network(state: bytes, size: str, device: str) -> Network:
    net = NETWORKS[size]()
    net.load_state_dict(safetensors.torch.load(state))
    return net.to(device).eval().requires_grad_(False)


def _pair(clean: Image, cloaked: Image, least: int) -> Pair:
    """Pad both photos to at least a patch; the box where they differ is top, bottom, left, right."""
    missing = [max(0, least - side) for side in clean.shape[:2]]
    if any(missing):
        margins = [(0, missing[0]), (0, missing[1]), (0, 0)]
        clean, cloaked = np.pad(clean, margins, mode="edge"), np.pad(cloaked, margins, mode="edge")
    changed = (clean != cloaked).any(2)
    if not changed.any():
        return clean, cloaked, (0, clean.shape[0], 0, clean.shape[1])
    rows, columns = (np.flatnonzero(changed.any(axis)) for axis in (1, 0))
    return clean, cloaked, (int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1)


def _shards(
    pairs: Sequence[Pair], side: int, rng: np.random.Generator
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """One batch in equal shards, whose first patch is clean on both sides: uint8 [patch, 3, side, side]."""
    shards = []
    for _ in range(_SHARDS):
        befores, afters = [], []
        for i in range(_BATCH // _SHARDS):
            clean, cloaked, (top, bottom, left, right) = pairs[int(rng.integers(len(pairs)))]
            y = _start(int(rng.integers(top, bottom)), side, clean.shape[0])
            x = _start(int(rng.integers(left, right)), side, clean.shape[1])
            flip = -1 if rng.integers(2) else 1
            window = np.s_[y : y + side, x : x + side]
            before, after = clean[window][:, ::flip], (cloaked if i else clean)[window][:, ::flip]
            befores.append(_tensor(before))
            afters.append(_tensor(after))
        shards.append((torch.stack(befores), torch.stack(afters)))
    return shards


def _pace(step: int, steps: int) -> float:
    """The share of the learning rate: it rises over a tenth of the steps, then follows half a cosine.

    Without the rise the hidden layers die.
    """
    return min(1.0, (step + 1) / max(1, steps // 10)) * (1 + math.cos(math.pi * step / steps)) / 2


def _start(centre: int, side: int, whole: int) -> int:
    """The start of a patch around a pixel, inside the photo."""
    return int(min(max(centre - side // 2, 0), whole - side))


def _tensor(photo: Image) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(photo.transpose(2, 0, 1)))
