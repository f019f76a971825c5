"""How fast the engine is, beside torchattacks' and Foolbox's PGD on the same function, batch and steps.

    BENCH_REAL_DATA=... pytest tests/perf/test_perf_cloaking.py -o log_cli=true -o log_cli_level=INFO

`BENCH_DEVICE=cuda` runs the same on a GPU; `make gpu-check` sees that the GPU computes what the CPU computes.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch

from bench.encoders import READY, availability, load
from bench.encoders.families import synth
from bench.types import ARCFACE_CROP, Folders
from measuring.contest import OURS, STEPS, THEIRS, Contest
from measuring.machine import finished
from measuring.subjects import aligned, face_at, faces

DEVICE = os.environ.get("BENCH_DEVICE", "cpu")
PHOTOS = 32 if DEVICE == "cpu" else 256
REAL = ["insightface_mobilefacenet_y1", "mfn_espdl", "mobilefacenet_casia_xiaoccer", "mobileface_v2"]
BUILT_IN = [card.name for card in synth.cards()]

_log = logging.getLogger("bench.perf")


def crops_of(folder: Path | None) -> torch.Tensor:
    """Aligned faces of different people; without real data, drawn ones."""
    if folder is None:
        return aligned(faces(PHOTOS), ARCFACE_CROP)
    rows = [json.loads(line) for line in (folder / "images.jsonl").read_text().splitlines()]
    chosen = [row for row in rows if "landmarks5" in row][:: 1 if PHOTOS > 80 else 18][:PHOTOS]
    crops = []
    for row in chosen:
        with PIL.Image.open(folder / row["file"]) as file:
            photo = np.array(file.convert("RGB"))
        crops.append(aligned([(photo, face_at(np.array(row["landmarks5"])))], ARCFACE_CROP))
    return torch.cat(crops)


def cases() -> list[Any]:
    real = [pytest.param(name, marks=pytest.mark.real) for name in REAL]
    return [*real, *BUILT_IN]


@pytest.fixture(scope="module", params=cases())
def arena(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Contest:
    real = request.param in REAL
    folder = request.getfixturevalue("real_data") if real else None
    folders = Folders(home=str(tmp_path_factory.mktemp("home")), real_data=str(folder) if folder else None)
    state = {card.name: state for card, state in availability(folders)}[request.param]
    if state != READY:
        pytest.skip(f"{request.param}: {state}")
    return Contest.of(load(request.param, folders, DEVICE), crops_of(folder), DEVICE)


@pytest.mark.parametrize("who", [*OURS, *THEIRS])
def test_projected_gradient_descent(arena: Contest, who: str, benchmark: Any) -> None:
    benchmark.group = (
        f"cloaking: {arena.encoder.card.name}, {len(arena.photos)} photos, {STEPS} steps, {DEVICE}"
    )
    torch.manual_seed(0)  # the other two start at random from the global state
    if who in THEIRS:
        pytest.importorskip(who, reason="pip install 'cloakbench[perf]'")
    else:
        benchmark.extra_info.update(arena.engine(who).resolved())
    attack = arena.attack(who)

    def run() -> torch.Tensor:
        released = attack(arena.crops)
        finished(DEVICE)
        return released

    released = benchmark.pedantic(run, rounds=3, warmup_rounds=1)
    seconds = benchmark.stats.stats.median if benchmark.stats else float("nan")
    figures = arena.judged(released)
    figures["photos_per_second"] = len(arena.photos) / seconds
    figures["steps_per_second"] = figures["photos_per_second"] * STEPS
    benchmark.extra_info.update(figures)
    benchmark.extra_info.update(device=DEVICE, photos=len(arena.photos))
    text = " ".join(f"{key}={value:.4g}" for key, value in figures.items())
    _log.info("%s %s %s: %s", DEVICE, arena.encoder.card.name, who, text)
    assert figures["success"] > 0.9
