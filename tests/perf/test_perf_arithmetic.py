"""How much of what the processor can multiply an encoder gets out of it, at a large batch.

The arithmetic of a network is counted over its torch twin (a multiplication and an addition are two); the
limit is what a large matrix product or convolution reaches at the same precision, on the same device, in the
same run.
Depthwise convolutions move many numbers for little arithmetic: no network made of them comes near it.

`BENCH_DEVICE=cuda` measures a GPU. The goal, six tenths at batch 256, is for GPUs; a CPU is reported.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from bench.encoders import load
from bench.encoders.networks import embed_at
from bench.machine.workers import exact_gpu
from bench.types import Folders

DEVICE = os.environ.get("BENCH_DEVICE", "cpu")
BATCH, SIDE = (32, 2048) if DEVICE == "cpu" else (256, 8192)
FACENET = "facenet-vggface2"
REAL = "insightface_mobilefacenet_y1"
FAMILIES = ["synth-ir", "synth-inc", "synth-vit", FACENET, pytest.param(REAL, marks=pytest.mark.real)]
TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def synchronize() -> None:
    if DEVICE != "cpu":
        torch.cuda.synchronize()


def limit(precision: str) -> float:
    """Operations a second of a product of large matrices or of a convolution; the best of five runs of each.

    On some processors a library's convolutions use wider registers than its matrix product.
    """
    kind, n, channels = TYPES[precision], (8 if DEVICE == "cpu" else 64), 256
    a, b = (torch.ones(SIDE, SIDE, dtype=kind, device=DEVICE) for _ in range(2))
    maps = torch.ones(n, channels, 56, 56, dtype=kind, device=DEVICE)
    kernels = torch.ones(channels, channels, 3, 3, dtype=kind, device=DEVICE)
    work: list[tuple[float, Callable[[], torch.Tensor]]] = [
        (2 * SIDE**3, lambda: a @ b),
        (2 * maps.numel() * channels * 9, lambda: torch.conv2d(maps, kernels, padding=1)),
    ]
    found = 0.0
    with exact_gpu():
        for operations, run in work:
            for _ in range(5):
                synchronize()
                began = time.perf_counter()
                run()
                synchronize()
                found = max(found, operations / (time.perf_counter() - began))
    return found


@pytest.mark.parametrize("precision", TYPES)
@pytest.mark.parametrize("name", FAMILIES)
def test_fraction_of_the_arithmetic_limit(
    benchmark: Any, name: str, precision: str, facenet: Path, request: pytest.FixtureRequest
) -> None:
    benchmark.group = f"fraction of the arithmetic limit, batch {BATCH}, {precision}, {DEVICE}"
    real = str(request.getfixturevalue("real_data")) if name == REAL else None
    encoder = load(name, Folders(home=str(facenet), real_data=real), DEVICE)
    size = encoder.card.crop.size
    crops = torch.rand(BATCH, 3, size, size, generator=torch.Generator().manual_seed(0)).to(DEVICE)
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        encoder.twin()(crops[:1])
    operations = counter.get_total_flops()
    assert operations > 0

    def run() -> torch.Tensor:
        out = embed_at(precision, encoder, crops)
        synchronize()
        return out

    before = limit(precision)
    assert len(benchmark.pedantic(run, rounds=5, warmup_rounds=1)) == BATCH
    most = max(before, limit(precision))  # what else the machine does slows these too
    reached = BATCH * operations / float(np.median(benchmark.stats.stats.data))
    fraction = reached / most
    benchmark.extra_info.update(
        device=DEVICE,
        photos=BATCH,
        gflop_a_crop=operations / 1e9,
        gflops=reached / 1e9,
        limit_gflops=most / 1e9,
        fraction=fraction,
    )
    assert DEVICE == "cpu" or fraction >= 0.6
