"""Which device a run uses: what was asked for, or an error; never a silent fall-back."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.errors import UserError


def device(asked: str) -> str:
    """Resolve `auto`, `cpu`, `cuda` or `cuda:N` to a device that is there.

    Raises:
        UserError: for CUDA where there is none, for a card that is not there, and for other names.
    """
    if asked == "cpu":
        return asked
    kind, _, number = asked.partition(":")
    if asked != "auto" and (kind != "cuda" or (number and not number.isdigit())):
        raise UserError(f"no device {asked!r}. Try auto, cpu, cuda or cuda:1.")
    if asked == "auto" and _no_driver():
        return "cpu"
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if asked == "auto":
        return "cuda" if count else "cpu"
    if not count:
        raise UserError(
            f"device {asked!r} asked for, but torch {torch.__version__} finds no CUDA device. "
            "Try --device cpu; 'bench doctor' says what is installed."
        )
    if number and int(number) >= count:
        raise UserError(f"device {asked!r} asked for, but there are {count}, from cuda:0. Try cuda:0.")
    return asked


def _no_driver() -> bool:
    """Whether this is a Linux without a GPU driver, as can be seen without the seconds that torch takes."""
    devices = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")
    return sys.platform == "linux" and not any(Path(device).exists() for device in devices)
