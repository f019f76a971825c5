"""What is measured on, and the few calls that differ between a GPU and a CPU."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import torch

from bench.machine.environment import environment
from bench.store.digests import versions

OTHERS = ("torchattacks", "foolbox")


def described(device: str) -> dict[str, Any]:
    """The card, the code and the versions; no host name, no paths. `card` is None on a CPU."""
    gpu: dict[str, Any] = {"card": None}
    if on_gpu(device):
        properties = torch.cuda.get_device_properties(torch.device(device))
        gpu = {
            "card": properties.name,
            "memory_gib": properties.total_memory / 2**30,
            "capability": f"{properties.major}.{properties.minor}",
            "multiprocessors": properties.multi_processor_count,
        }
    code: dict[str, Any] = dict(environment())
    packages = {**code.pop("packages"), **versions(OTHERS)}
    return {
        **gpu,
        "cuda": torch.version.cuda,
        "torch": torch.__version__,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "faces": "drawn, aligned on the landmarks that the renderer knows; no detector ran",
        **code,
        "packages": {name: version for name, version in packages.items() if version != "absent"},
    }


def on_gpu(device: str) -> bool:
    """Whether a device is a CUDA card."""
    return torch.device(device).type == "cuda"


def finished(device: str) -> None:
    """Wait until the device has done all that it was given."""
    if on_gpu(device):
        torch.cuda.synchronize(torch.device(device))


def seconds(work: Callable[[], object], device: str) -> float:
    """Wall seconds of one call, until the device is done."""
    finished(device)
    began = time.perf_counter()
    work()
    finished(device)
    return time.perf_counter() - began


def peak(work: Callable[[], object], device: str) -> float:
    """Most memory in MiB that `work` took on the GPU, besides what was allocated there before.

    On a CPU it is the most that the process ever held.
    """
    if on_gpu(device):
        card = torch.device(device)
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(card)
        before = torch.cuda.memory_allocated(card)
        work()
        finished(device)
        return (torch.cuda.max_memory_allocated(card) - before) / 2**20
    work()
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(resident / (2**20 if sys.platform == "darwin" else 2**10))
