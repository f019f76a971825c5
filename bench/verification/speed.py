"""The speed at which an encoder embeds aligned faces on this machine."""

from __future__ import annotations

import time

import torch

from bench.machine.hardware import hardware
from bench.protocols import Encoder
from bench.verification.records import Speed

_CROPS = {"cpu": 64, "cuda": 1024}
_PASSES = 3


def speed(encoder: Encoder, device: str) -> Speed:
    """Embed random crops three times after a warm-up. The fastest pass counts.

    The cost of a network does not depend on the content of the crops, so no photo is needed. Processor time
    is measured as well: it is the speed of one core, also on a machine that is busy with other work.

    Args:
        encoder: The encoder.
        device: The encoder's device.
    """
    kind = torch.device(device).type
    count, size = _CROPS[kind], encoder.card.crop.size
    crops = torch.rand((count, 3, size, size), generator=torch.Generator().manual_seed(0)).to(device)
    encoder.embed(crops[: count // 4])
    passes = [_timed(encoder, crops, kind) for _ in range(_PASSES)]
    return Speed(
        photos_per_second=count / min(wall for wall, _ in passes),
        photos_per_core_second=count / min(core for _, core in passes) if kind == "cpu" else None,
        photos=count,
        hardware=hardware(device),
        threads=torch.get_num_threads() if kind == "cpu" else 0,
        runtime=encoder.runtime,
    )


def _timed(encoder: Encoder, crops: torch.Tensor, kind: str) -> tuple[float, float]:
    """The seconds by the clock, and of processor time in all threads."""
    began, worked = time.perf_counter(), time.process_time()
    encoder.embed(crops)
    if kind == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began, time.process_time() - worked
