"""The device and the precision of a run: those that were asked for, or an error, never a fall-back."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.errors import UserError

PRECISIONS = ("fp32", "bf16", "fp16")
"""The precisions that an attacker's encoder may compute in; see `bench.encoders.networks.embed_at`."""


def device(name: str) -> str:
    """Resolve `auto`, `cpu`, `cuda` or `cuda:N` to a device of this machine.

    Raises:
        UserError: There is no CUDA device, or no such card, or the name is another one.
    """
    if name == "cpu":
        return name
    kind, colon, number = name.partition(":")
    if name != "auto" and (kind != "cuda" or bool(colon) != (number.isascii() and number.isdigit())):
        raise UserError(f"no device {name!r}. Try auto, cpu, cuda or cuda:1.")
    if name == "auto" and _no_driver():
        return "cpu"
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return "cuda" if count else "cpu"
    if not count:
        raise UserError(
            f"device {name!r} asked for, but torch {torch.__version__} finds no CUDA device. "
            "Try --device cpu; 'bench doctor' says what is installed."
        )
    if number and int(number) >= count:
        raise UserError(f"device {name!r} asked for, but there are {count}, from cuda:0. Try cuda:0.")
    return name


def precision(name: str) -> str:
    """Check that a precision is one of `PRECISIONS`.

    Raises:
        UserError: The name is another one.
    """
    if name not in PRECISIONS:
        raise UserError(f"no precision {name!r}. Try {', '.join(PRECISIONS[:-1])} or {PRECISIONS[-1]}.")
    return name


def _no_driver() -> bool:
    """Whether this is a Linux without a GPU driver. The check does not take the seconds that torch takes."""
    devices = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")
    return sys.platform == "linux" and not any(Path(device).exists() for device in devices)
