"""How fast the engine is, beside torchattacks' and Foolbox's PGD on the same function, batch and steps.

All three attack the same classifier: the cosine of a crop's embedding with the clean embedding of every
photo, each photo its own class. Crops are aligned already, so that alignment costs nobody anything but the
engine, which does its own all the same. Success is measured alike, on 8-bit pixels, by the untouched twin in
float32.

    BENCH_REAL_DATA=... pytest tests/perf/test_perf_cloaking.py -o log_cli=true -o log_cli_level=INFO

`BENCH_DEVICE=cuda` runs the same on a GPU, and checks there that it computes what the CPU computes.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from bench.datasets._synthetic.render import render
from torch import nn

from bench.encoders import READY, availability, load
from bench.encoders.families import synth
from bench.faces.align import similarity, warp
from bench.optim.engine import CloakingEngine
from bench.optim.networks.graphs import Graphed
from bench.protocols import Descent, Encoder, Ground, Kit
from bench.types import ARCFACE_CROP, Album, Budget, Face, Folders

DEVICE = os.environ.get("BENCH_DEVICE", "cpu")
PHOTOS = 32 if DEVICE == "cpu" else 256
STEPS, LIMIT, STEP = 10, 8, 2
REAL = ["insightface_mobilefacenet_y1", "mfn_espdl", "mobilefacenet_casia_xiaoccer", "mobileface_v2"]
BUILT_IN = [card.name for card in synth.cards()]
SCALE = 16.0

_log = logging.getLogger("bench.perf")
Attack = Callable[[torch.Tensor], torch.Tensor]


class Classifier(nn.Module):
    """Crops [n, 3, 112, 112] -> scaled cosines with every clean photo [n, photos]."""

    def __init__(self, twin: nn.Module, clean: torch.Tensor) -> None:
        super().__init__()
        self.twin, self.clean = twin, clean

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        return SCALE * nn.functional.normalize(self.twin(crops), dim=1) @ self.clean.T


@dataclass(frozen=True)
class CrossEntropy:
    """The loss that the other two ascend, as a goal of the engine.

    Attributes:
        stop: let photos leave that are taken for somebody else.
    """

    stop: bool = False

    def __call__(self, ground: Ground) -> Any:
        def objective(
            embeddings: torch.Tensor, photos: torch.Tensor, current: torch.Tensor
        ) -> tuple[torch.Tensor, torch.Tensor]:
            cosines = embeddings @ ground.clean.T
            loss = -nn.functional.cross_entropy(SCALE * cosines, photos, reduction="none")
            return loss, (cosines.argmax(1) != photos) & self.stop

        return objective


@dataclass(frozen=True)
class Arena:
    """One encoder, its photos, and the function that everybody attacks."""

    encoder: Encoder
    photos: list[np.ndarray[Any, np.dtype[np.uint8]]]
    crops: torch.Tensor
    model: Classifier

    def judged(self, released: torch.Tensor) -> dict[str, float]:
        """Success and similarity of 8-bit crops; their budget is checked too."""
        levels = (released * 255).round()
        assert float((levels - self.crops * 255).abs().max()) <= LIMIT + 1e-3
        with torch.no_grad():
            cosines = torch.cat([self.model(part) for part in (levels / 255).split(32)]) / SCALE
        own = cosines.diagonal()
        return {
            "success": float((cosines.argmax(1) != torch.arange(len(own), device=own.device)).float().mean()),
            "similarity": float(own.mean()),
        }


def aligned(photo: np.ndarray[Any, Any], landmarks: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
    pixels = torch.from_numpy(photo).permute(2, 0, 1)[None].float()
    crop = warp(pixels, [similarity(landmarks, ARCFACE_CROP.template)], 112)[0]
    return np.ascontiguousarray(crop.permute(1, 2, 0).round().to(torch.uint8).numpy())


def crops_of(folder: Path | None) -> list[np.ndarray[Any, np.dtype[np.uint8]]]:
    """Aligned faces of different people; without real data, drawn ones."""
    if folder is None:
        drawn, points = render(list(range(PHOTOS)), [0] * PHOTOS)
        return [aligned(photo, face) for photo, face in zip(drawn, points, strict=True)]
    from PIL import Image

    rows = [json.loads(line) for line in (folder / "images.jsonl").read_text().splitlines()]
    found = [row for row in rows if "landmarks5" in row][:: 1 if PHOTOS > 80 else 18][:PHOTOS]
    out = []
    for row in found:
        with Image.open(folder / row["file"]) as file:
            out.append(aligned(np.array(file.convert("RGB")), row["landmarks5"]))
    return out


def cases() -> list[Any]:
    real = [pytest.param(name, marks=pytest.mark.real) for name in REAL]
    return [*real, *BUILT_IN]


@pytest.fixture(scope="module", params=cases())
def arena(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Arena:
    real = request.param in REAL
    folder = request.getfixturevalue("real_data") if real else None
    folders = Folders(home=str(tmp_path_factory.mktemp("home")), real_data=str(folder) if folder else None)
    state = {card.name: state for card, state in availability(folders)}[request.param]
    if state != READY:
        pytest.skip(f"{request.param}: {state}")
    encoder = load(request.param, folders, DEVICE)
    photos = crops_of(folder)
    crops = torch.from_numpy(np.stack(photos)).permute(0, 3, 1, 2).float().div(255).to(DEVICE)
    clean = torch.cat([encoder.embed(part) for part in crops.split(32)]).to(DEVICE)
    return Arena(encoder, photos, crops, Classifier(encoder.twin().to(DEVICE), clean))


def engine_attack(arena: Arena, engine: CloakingEngine, goal: CrossEntropy) -> Attack:
    # the template itself as landmarks: the alignment is the identity
    face = Face((0.0, 0.0, 111.0, 111.0), ARCFACE_CROP.template, 1.0)
    size = len(arena.photos)
    album = Album(tuple(arena.photos), (face,) * size, tuple(f"photo {i}" for i in range(size)))
    kit = Kit(Budget.parse(f"linf:{LIMIT}"), 0, (arena.encoder,), Album((), (), ()), engine, DEVICE)
    descent = Descent(steps=STEPS, reach=STEP * STEPS / LIMIT, momentum=0.0, random_start=True)

    def attack(crops: torch.Tensor) -> torch.Tensor:
        (released,) = engine.run([album], kit, goal, descent).photos
        return (
            torch.from_numpy(np.stack([p for p in released if p is not None])).permute(0, 3, 1, 2).to(crops)
            / 255
        )

    return attack


def torchattacks_attack(arena: Arena) -> Attack:
    torchattacks = pytest.importorskip("torchattacks", reason="pip install 'cloakbench[perf]'")
    pgd = torchattacks.PGD(arena.model, eps=LIMIT / 255, alpha=STEP / 255, steps=STEPS, random_start=True)
    return lambda crops: torch.cat([pgd(*part) for part in labelled(crops)])


def foolbox_attack(arena: Arena) -> Attack:
    foolbox = pytest.importorskip("foolbox", reason="pip install 'cloakbench[perf]'")
    model = foolbox.PyTorchModel(arena.model.eval(), bounds=(0, 1), device=DEVICE)
    pgd = foolbox.attacks.LinfPGD(abs_stepsize=STEP / 255, steps=STEPS, random_start=True)
    return lambda crops: torch.cat([pgd(model, *part, epsilons=LIMIT / 255)[1] for part in labelled(crops)])


def labelled(crops: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Batches of the size that the engine takes, with their labels."""
    size = 16 if DEVICE == "cpu" else 64
    labels = torch.arange(len(crops), device=crops.device)
    return list(zip(crops.split(size), labels.split(size), strict=True))


@pytest.mark.parametrize("who", ["engine", "engine-fp32", "engine-stopping", "torchattacks", "foolbox"])
def test_projected_gradient_descent(arena: Arena, who: str, benchmark: Any) -> None:
    benchmark.group = (
        f"cloaking: {arena.encoder.card.name}, {len(arena.photos)} photos, {STEPS} steps, {DEVICE}"
    )
    torch.manual_seed(0)  # the other two start at random from the global state
    if who == "torchattacks":
        attack = torchattacks_attack(arena)
    elif who == "foolbox":
        attack = foolbox_attack(arena)
    else:
        size = 16 if DEVICE == "cpu" else 64
        engine = CloakingEngine(DEVICE, precision="fp32" if who == "engine-fp32" else "auto", batch=size)
        benchmark.extra_info.update(engine.resolved())
        attack = engine_attack(arena, engine, CrossEntropy(stop=who == "engine-stopping"))

    def run() -> torch.Tensor:
        released = attack(arena.crops)
        if DEVICE != "cpu":
            torch.cuda.synchronize()
        return released

    released = benchmark.pedantic(run, rounds=3, warmup_rounds=1)
    seconds = benchmark.stats.stats.median if benchmark.stats else float("nan")
    found = arena.judged(released)
    found["photos_per_second"] = len(arena.photos) / seconds
    found["steps_per_second"] = found["photos_per_second"] * STEPS
    benchmark.extra_info.update(found)
    benchmark.extra_info.update(device=DEVICE, photos=len(arena.photos))
    text = " ".join(f"{key}={value:.4g}" for key, value in found.items())
    _log.info("%s %s %s: %s", DEVICE, arena.encoder.card.name, who, text)
    assert found["success"] > 0.9


def projected(weights: torch.Tensor, embeddings: torch.Tensor) -> torch.Tensor:
    """A loss [n] whose gradient in every embedding is the same."""
    return (embeddings * weights).sum(1)


@pytest.mark.skipif(DEVICE == "cpu", reason="BENCH_DEVICE=cuda compares a GPU with the CPU")
def test_a_gpu_computes_what_the_cpu_computes_and_twice_the_same(arena: Arena) -> None:
    goal = CrossEntropy()
    gpu = CloakingEngine(DEVICE, precision="fp32")
    one, again = (engine_attack(arena, gpu, goal)(arena.crops) for _ in range(2))
    assert torch.equal(one, again)
    fast = CloakingEngine(DEVICE)
    low, low_again = (engine_attack(arena, fast, goal)(arena.crops) for _ in range(2))
    assert torch.equal(low, low_again)
    exact, reduced = arena.judged(one), arena.judged(low)
    assert abs(exact["success"] - reduced["success"]) < 0.05
    assert abs(exact["similarity"] - reduced["similarity"]) < 0.05
    # one gradient on each: the same sign nearly everywhere
    few = arena.crops[:8].cpu()
    ready = [CloakingEngine(d, precision="fp32")._surrogate(arena.encoder) for d in (DEVICE, "cpu")]
    weights = torch.linspace(-1, 1, arena.encoder.card.dimensions)
    slopes = []
    for surrogate, crops in zip(ready, (few.to(DEVICE), few), strict=True):
        loss = partial(projected, weights.to(crops.device))
        slopes.append(surrogate.gradient(crops, loss)[1].cpu())
    agree = torch.nn.functional.cosine_similarity(slopes[0].flatten(1), slopes[1].flatten(1))
    assert float(agree.min()) > 0.99
    graphed = gpu._surrogate(arena.encoder)._call
    assert isinstance(graphed, Graphed) and graphed.works
