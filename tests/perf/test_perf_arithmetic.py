"""How much of what the processor can multiply an encoder gets out of it, at a large batch.

The arithmetic of a network is counted over its torch twin (a multiplication and an addition are two); the
limit is what a large matrix product or convolution reaches at the same precision, on the same device, in the
same run.
Depthwise convolutions move many numbers for little arithmetic: no network made of them comes near it.

`BENCH_DEVICE=cuda` measures a GPU. The goal, six tenths at batch 256, is for GPUs; a CPU is reported.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bench.encoders import load
from bench.encoders.networks import embed_at
from bench.types import Folders
from measuring.arithmetic import limit, operations
from measuring.machine import finished

DEVICE = os.environ.get("BENCH_DEVICE", "cpu")
BATCH, SIDE, MAPS = (32, 2048, 8) if DEVICE == "cpu" else (256, 8192, 64)
FACENET = "facenet-vggface2"
REAL = "insightface_mobilefacenet_y1"
FAMILIES = ["synth-ir", "synth-inc", "synth-vit", FACENET, pytest.param(REAL, marks=pytest.mark.real)]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", FAMILIES)
def test_fraction_of_the_arithmetic_limit(
    benchmark: Any, name: str, precision: str, facenet: Path, request: pytest.FixtureRequest
) -> None:
    benchmark.group = f"fraction of the arithmetic limit, batch {BATCH}, {precision}, {DEVICE}"
    real = str(request.getfixturevalue("real_data")) if name == REAL else None
    encoder = load(name, Folders(home=str(facenet), real_data=real), DEVICE)
    size = encoder.card.crop.size
    crops = torch.rand(BATCH, 3, size, size, generator=torch.Generator().manual_seed(0)).to(DEVICE)
    each = operations(encoder, crops[:1])
    assert each > 0

    def run() -> torch.Tensor:
        out = embed_at(precision, encoder, crops)
        finished(DEVICE)
        return out

    before = limit(precision, DEVICE, SIDE, MAPS)
    assert len(benchmark.pedantic(run, rounds=5, warmup_rounds=1)) == BATCH
    # what else the machine does slows these too
    most = max(before, limit(precision, DEVICE, SIDE, MAPS))
    reached = BATCH * each / float(np.median(benchmark.stats.stats.data))
    fraction = reached / most
    benchmark.extra_info.update(
        device=DEVICE,
        photos=BATCH,
        gflop_a_crop=each / 1e9,
        gflops=reached / 1e9,
        limit_gflops=most / 1e9,
        fraction=fraction,
    )
    assert DEVICE == "cpu" or fraction >= 0.6
