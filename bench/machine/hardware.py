"""The name of what computes. It names no host."""

from __future__ import annotations

import platform
from pathlib import Path


def hardware(device: str) -> str:
    """The name that the processor or the card gives itself.

    Args:
        device: `cpu`, `cuda`, `cuda:1`.
    """
    if device.partition(":")[0] == "cuda":
        import torch

        return torch.cuda.get_device_name(device)
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text(encoding="utf-8").splitlines() if listing.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
