"""A small network that an attacker trains to remove cloaks from photos.

The attacker holds photos of calibration people and can run the defense on them, so it has pairs of a cloaked
and a clean photo. The network learns their difference, as DnCNN learns noise (Zhang et al., TIP 2017), at
half the resolution on four times the channels, as in FFDNet (Zhang, Zuo and Zhang, TIP 2018). Denoising
against adversarial perturbations is from Liao et al., "Defense against adversarial attacks using high-level
representation guided denoiser" (CVPR 2018); this is their pixel-guided variant. Widths, steps and rates are
this project's choice.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
import safetensors.torch
import torch
import torch.nn.functional as F  # noqa: N812 - the name every torch program uses
from torch import nn

from bench.machine.workers import each, exact_gpu
from bench.types import Image

STEPS = 600
"""The default number of optimiser steps: 9,600 patches."""

WIDTH, MIDDLE = 48, 4
"""Channels of a hidden layer, and how many layers lie between the first and the last: 98,748 weights."""

REACH = 16
"""The distance in pixels that a result can depend on: 2 of the local mean, 12 of six layers, rounded up."""

TILE = 512
"""The side in pixels of a tile that is computed at once, so that memory does not grow with the photo."""

_PATCH, _BATCH, _SHARDS, _RATE = 32, 16, 4, 1e-3

Pair = tuple[Image, Image, tuple[int, int, int, int]]

_one_on_the_gpu = threading.Lock()  # exact_gpu sets flags of the whole process


class Residual(nn.Module):
    """The network: photos [n, 3, height, width] in [0, 1] -> the estimated cloak, of the same shape."""

    def __init__(self) -> None:
        """Make the layers without values; `_fresh` and `_network` fill them."""
        super().__init__()
        widths = [24, *[WIDTH] * (MIDDLE + 1), 12]
        self.layers = nn.ModuleList(
            nn.utils.skip_init(nn.Conv2d, a, b, 3, padding=1)  # drawing here would use the global generator
            for a, b in pairwise(widths)
        )

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        """Estimate the cloak. Height and width are even."""
        mean = F.avg_pool2d(photos, 5, 1, 2, count_include_pad=False)
        # what a cloak adds is small beside the photo: shown apart, and larger, it is learned much sooner
        x = F.pixel_unshuffle(torch.cat([4 * (photos - 0.5), 16 * (photos - mean)], 1), 2)
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return 0.1 * F.pixel_shuffle(self.layers[-1](x), 2)


def train(
    clean: Sequence[Image],
    cloaked: Sequence[Image],
    *,
    seed: int,
    steps: int = STEPS,
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
    pairs = [_pair(a, b) for a, b in zip(clean, cloaked, strict=True)]
    first, patches = np.random.SeedSequence(seed).spawn(2)
    rng = np.random.Generator(np.random.Philox(patches))
    net = _fresh(int(first.generate_state(1)[0])).to(device)
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
            shards = _shards(pairs, rng)
            # always the same shards, each on one thread, added in order: threads cannot reach the bits
            gradients = each(gradient, shards) if device == "cpu" else [gradient(shard) for shard in shards]
            for weight, *parts in zip(weights, *gradients, strict=True):
                weight.grad = torch.stack(parts).mean(0)
            optimizer.step()
            advance(1)
    return safetensors.torch.save({k: v.detach().cpu().contiguous() for k, v in net.state_dict().items()})


def apply(state: bytes, photo: Image, *, device: str = "cpu") -> Image:
    """Remove from a photo what the network takes for a cloak.

    Args:
        state: The weights, from `train`.
        photo: uint8 [height, width, 3], of any size.
        device: `cpu`, `cuda` or `cuda:N`.

    Returns:
        uint8 [height, width, 3], the same shape.
    """
    if device == "cpu":
        return _applied(_network(state, device), photo, device)
    with _one_on_the_gpu, exact_gpu():
        return _applied(_network(state, device), photo, device)


def _applied(net: Residual, photo: Image, device: str) -> Image:
    out = np.empty_like(photo)
    for rows in _parts(photo.shape[0]):
        for columns in _parts(photo.shape[1]):
            (top, bottom, above, below), (left, right, before, behind) = rows, columns
            part = photo[above:below, before:behind]
            done = _tile(net, part, device)
            out[top:bottom, left:right] = done[top - above : bottom - above, left - before : right - before]
    return out


def _parts(side: int) -> Iterator[tuple[int, int, int, int]]:
    """Start and end of each tile, and of the pixels that it depends on."""
    for start in range(0, side, TILE):
        end = min(start + TILE, side)
        yield start, end, max(0, start - REACH), min(side, end + REACH)


def _tile(net: Residual, photo: Image, device: str) -> Image:
    height, width = photo.shape[:2]
    even = np.pad(photo, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    with torch.inference_mode():
        x = _tensor(even)[None].to(device).float().div(255)
        y = (x - net(x)).clamp(0, 1).mul(255).round().byte()[0]
    return np.ascontiguousarray(y.permute(1, 2, 0).cpu().numpy()[:height, :width])


def _fresh(seed: int) -> Residual:
    """First weights: He's for the hidden layers, zeros for the last, so that nothing is removed yet."""
    net, generator = Residual(), torch.Generator().manual_seed(seed)
    for layer in net.layers:
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]  # a convolution's, not a module
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)  # type: ignore[arg-type]  # likewise
    nn.init.zeros_(net.layers[-1].weight)  # type: ignore[arg-type]  # likewise
    return net


@lru_cache(maxsize=2)
def _network(state: bytes, device: str) -> Residual:
    net = Residual()
    net.load_state_dict(safetensors.torch.load(state))
    return net.to(device).eval().requires_grad_(False)


def _pair(clean: Image, cloaked: Image) -> Pair:
    """Pad both photos to at least a patch; the box where they differ is top, bottom, left, right."""
    missing = [max(0, _PATCH - side) for side in clean.shape[:2]]
    if any(missing):
        margins = [(0, missing[0]), (0, missing[1]), (0, 0)]
        clean, cloaked = np.pad(clean, margins, mode="edge"), np.pad(cloaked, margins, mode="edge")
    changed = (clean != cloaked).any(2)
    if not changed.any():
        return clean, cloaked, (0, clean.shape[0], 0, clean.shape[1])
    rows, columns = (np.flatnonzero(changed.any(axis)) for axis in (1, 0))
    return clean, cloaked, (int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1)


def _shards(pairs: Sequence[Pair], rng: np.random.Generator) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """One batch in equal shards, whose first patch is clean on both sides: uint8 [patch, 3, side, side]."""
    shards = []
    for _ in range(_SHARDS):
        befores, afters = [], []
        for i in range(_BATCH // _SHARDS):
            clean, cloaked, (top, bottom, left, right) = pairs[int(rng.integers(len(pairs)))]
            y = _start(int(rng.integers(top, bottom)), clean.shape[0])
            x = _start(int(rng.integers(left, right)), clean.shape[1])
            flip = -1 if rng.integers(2) else 1
            window = np.s_[y : y + _PATCH, x : x + _PATCH]
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


def _start(centre: int, side: int) -> int:
    """The start of a patch around a pixel, inside the photo."""
    return int(min(max(centre - _PATCH // 2, 0), side - _PATCH))


def _tensor(photo: Image) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(photo.transpose(2, 0, 1)))
