"""Steps that compare a device with the CPU: embeddings, gradients, CUDA graphs and cloaks."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from bench import registry
from bench.encoders.networks import embed_at
from bench.machine.workers import exact_gpu
from bench.optim.engine import CloakingEngine
from bench.optim.networks.folding import fold
from bench.optim.networks.graphs import Graphed
from bench.protocols import Encoder, Kit
from bench.types import Budget, Image
from measuring.machine import on_gpu
from measuring.record import Figure
from measuring.running import MissingError
from measuring.setting import Setting
from measuring.subjects import DrawnFace, Family, album, albums, aligned, faces, loaded, strangers

LEAST_COSINE = {"fp32": 0.99999, "bf16": 0.999, "fp16": 0.99999}
"""Of an embedding with the CPU's float32 embedding of the same crop, by the precision it is computed in."""

SLOPE_ERROR = 0.01
"""Of the median crop's gradient, beside the CPU's in float64.

A network of rectifiers has kinks, and a rounding error that carries a unit across one changes the gradient by
more than itself. Errors of 1e-6 in every layer, more than float32's, change the median by up to .006; what
TF32 rounds changes it by .013 (synth-vit), .021 (synth-ir) and .079 (synth-inc).
"""

DIFFERENCE = 0.02
"""Between shares and mean similarities of cloaks made on two devices."""

BUDGET = 8
STRANGERS = 32


def embeddings(setting: Setting, family: Family) -> Iterator[Figure]:
    """Embeddings at every precision beside the CPU's, and whether a crop's bits depend on its company."""
    pairs = zip(loaded(setting, family, "cpu"), loaded(setting, family, setting.device), strict=True)
    for reference, encoder in pairs:
        name = encoder.card.name
        crops = aligned(faces(setting.crops), encoder.card.crop)
        truth = reference.embed(crops).double()
        placed = crops.to(setting.device)
        for precision, least in LEAST_COSINE.items():
            rows = embed_at(precision, encoder, placed).cpu().double()
            cosine = float(nn.functional.cosine_similarity(rows, truth).min())
            yield Figure(name, f"{precision} embedding, least cosine", cosine, "1", "≥", least)
        yield Figure(
            name, "embeddings that depend on their batch", _unlike(encoder.embed, placed), "photos", "≤", 0
        )


def _unlike(embed: Callable[[torch.Tensor], torch.Tensor], crops: torch.Tensor) -> int:
    """How many crops embed to other bits alone, or in reverse order, than all together."""
    together = embed(crops)
    alone = torch.cat([embed(crop[None]) for crop in crops])
    backwards = embed(crops.flip(0)).flip(0)
    return int(((together != alone) | (together != backwards)).any(1).sum())


def gradients(setting: Setting, family: Family) -> Iterator[Figure]:
    """Gradients of a function of the embedding in float32, beside the CPU's in float64."""
    pairs = zip(loaded(setting, family, "cpu"), loaded(setting, family, setting.device), strict=True)
    for reference, encoder in pairs:
        name = encoder.card.name
        crops = aligned(faces(setting.slopes), encoder.card.crop)
        truth = _slopes(copy.deepcopy(reference.twin()).double(), crops.double())
        slopes = _slopes(encoder.twin(), crops.to(setting.device)).cpu().double()
        error = _error(slopes, truth)
        yield Figure(name, "gradient, median relative error", float(error.median()), "1", "≤", SLOPE_ERROR)
        yield Figure(name, "gradient, largest relative error", float(error.max()))


def _slopes(network: Callable[[torch.Tensor], torch.Tensor], crops: torch.Tensor) -> torch.Tensor:
    leaf = crops.detach().requires_grad_(True)
    with exact_gpu():
        rows = nn.functional.normalize(network(leaf), dim=1)
        weights = torch.linspace(-1, 1, rows.shape[1], dtype=rows.dtype, device=rows.device)
        (slopes,) = torch.autograd.grad((rows * weights).sum(), leaf)
    return slopes


def _error(slopes: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Relative error [n] of each row."""
    error: torch.Tensor = (slopes - truth).flatten(1).norm(dim=1) / truth.flatten(1).norm(dim=1)
    return error


def graphs(setting: Setting) -> Iterator[Figure]:
    """The engine's network through a CUDA graph beside the same network without one.

    Raises:
        MissingError: on a CPU.
    """
    if not on_gpu(setting.device):
        raise MissingError("a CUDA device")
    for encoder in loaded(setting, "built-in", setting.device):
        name = encoder.card.name
        folded: Any = fold(encoder.twin())  # torch's stubs leave memory_format out of what a module takes
        network = folded.to(device=setting.device, memory_format=torch.channels_last)
        crops = aligned(faces(5), encoder.card.crop).to(setting.device)  # no size that a graph is made for
        crops = crops.contiguous(memory_format=torch.channels_last)
        graphed = Graphed(network, 8)
        captured, replayed, plain = (_slopes(run, crops) for run in (graphed, graphed, network))
        yield Figure(name, "networks that run without a graph", float(not graphed.works), "networks", "≤", 0)
        changed = int((captured != replayed).flatten(1).any(1).sum())
        yield Figure(name, "gradients that differ when replayed", changed, "photos", "≤", 0)
        error = float(_error(replayed, plain).median())
        yield Figure(name, "gradient through a graph, median relative error", error, "1", "≤", SLOPE_ERROR)


def cloaks(setting: Setting) -> Iterator[Figure]:
    """Cloaks of `advmask` made on the device beside those that the CPU makes in float32.

    Every encoder judges on the CPU in float32. A photo is protected where it is less like every clean photo
    of its user than all but a thousandth of pairs of strangers are alike.
    """
    judges = list(loaded(setting, "built-in", "cpu"))
    owned = albums(setting)
    for reference, surrogate in zip(judges, loaded(setting, "built-in", setting.device), strict=True):
        name = surrogate.card.name
        truth = _cloaked(owned, reference, "cpu", "fp32")
        wanted = [_judged(truth, owned, judge) for judge in judges]
        share, _ = wanted[judges.index(reference)]
        yield Figure(name, "protected by the CPU's fp32 cloaks", share)
        for precision in ("fp32", "auto"):
            pixels, again = (_cloaked(owned, surrogate, setting.device, precision) for _ in range(2))
            changed = sum(not np.array_equal(a, b) for a, b in zip(pixels, again, strict=True))
            yield Figure(name, f"{precision} cloaks that differ between two runs", changed, "photos", "≤", 0)
            yield Figure(
                name, f"{precision} cloaks, largest change", _change(pixels, owned), "1/255", "≤", BUDGET
            )
            for judge, (share, similarity) in zip(judges, wanted, strict=True):
                reached, alike = _judged(pixels, owned, judge)
                pair, what = f"{name} seen by {judge.card.name}", f"{precision} cloaks, difference of the"
                off = abs(reached - share), abs(alike - similarity)
                yield Figure(pair, f"{what} share protected", off[0], "1", "≤", DIFFERENCE)
                yield Figure(pair, f"{what} mean similarity", off[1], "1", "≤", DIFFERENCE)


def _cloaked(
    owned: Sequence[Sequence[DrawnFace]], surrogate: Encoder, device: str, precision: str
) -> list[Image]:
    """Every released photo, album by album."""
    _, defense = registry.make("defenses", "advmask")
    engine = CloakingEngine(device, precision=precision)
    others = album(strangers(STRANGERS), "stranger")
    kit = Kit(Budget.parse(f"linf:{BUDGET}"), 0, (surrogate,), others, engine, device)
    released = defense.cloak([album(photos, f"user-{i}") for i, photos in enumerate(owned)], kit)
    return [photo for photos in released for photo in photos]


def _change(pixels: Sequence[Image], owned: Sequence[Sequence[DrawnFace]]) -> int:
    """The largest change of any 8-bit value."""
    clean = [photo for photos in owned for photo, _ in photos]
    return max(int(np.abs(a.astype(int) - b).max()) for a, b in zip(pixels, clean, strict=True))


def _judged(
    pixels: Sequence[Image], owned: Sequence[Sequence[DrawnFace]], judge: Encoder
) -> tuple[float, float]:
    """Share of released photos that are protected, and their mean similarity to the user's clean photos."""
    crop = judge.card.crop
    places = [face for photos in owned for _, face in photos]
    others = judge.embed(aligned(strangers(STRANGERS), crop))
    first, second = torch.triu_indices(STRANGERS, STRANGERS, 1)
    level = torch.quantile((others[first] * others[second]).sum(1), 1 - 1e-3)
    released = judge.embed(aligned(list(zip(pixels, places, strict=True)), crop))
    clean = judge.embed(aligned([photo for photos in owned for photo in photos], crop))
    each = len(owned[0])
    similar = released.unflatten(0, (-1, each)) @ clean.unflatten(0, (-1, each)).mT
    return float((similar.amax(2) < level).float().mean()), float(similar.mean())
