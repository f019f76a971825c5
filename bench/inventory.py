"""What there is: names with one-line descriptions, and the state of this installation."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
from pathlib import Path

from bench import encoders, registry
from bench.cells import SCENARIOS
from bench.digests import versions
from bench.environment import LIBRARIES
from bench.errors import UserError, unknown_name
from bench.types import Folders

KINDS = ("defenses", "attackers", "datasets", "encoders", "scenarios", "budgets", "channels")
_BUDGETS = {"linf:N": "no 8-bit value changes by more than N of 255", "unbounded": "no limit"}
_CHANNELS = {
    "none": "the released file itself",
    "jpeg:QUALITY": "the released photo re-encoded as JPEG, quality 1 to 100",
}


def listed(kind: str, folders: Folders) -> list[tuple[str, str]]:
    """Names of one kind with a description each.

    Raises:
        UserError: for a kind that does not exist.
    """
    if kind == "encoders":
        return [
            (card.name, f"{card.architecture}; trained on {card.training_set or 'unstated data'}; {state}")
            for card, state in encoders.availability(folders)
        ]
    if kind in ("defenses", "attackers"):
        cards = ((n, registry.load(kind, n).card) for n in registry.names(kind))  # type: ignore[arg-type]  # narrowed above
        return [
            (name, f"{card.summary} ({card.source}{'' if card.bounded else '; keeps no budget'})")
            for name, card in cards
        ]
    if kind == "datasets":
        return [(n, _summary(registry.load("datasets", n))) for n in registry.names("datasets")]
    plain = {"scenarios": SCENARIOS, "budgets": _BUDGETS, "channels": _CHANNELS}
    if kind in plain:
        return list(plain[kind].items())
    raise unknown_name("kind", kind, KINDS, command="bench list --help")


def diagnosis(folders: Folders) -> list[tuple[str, str, str]]:
    """What is installed, found or missing: subject, state, and what to type where something is missing."""
    rows = [("python", platform.python_version(), "")]
    rows += [(name, version, "") for name, version in versions(LIBRARIES).items()]
    rows += [_torch(), _onnxruntime(), _opencv()]
    rows.append(_home(Path(folders.home)))
    real = folders.real_data or ""
    rows.append(
        ("BENCH_REAL_DATA", real or "not set", "" if real else "set it to a folder with lfw/, weights/")
    )
    for card, state in encoders.availability(folders):
        missing = state != encoders.READY
        rows.append((f"encoder {card.name}", "missing" if missing else "ready", state if missing else ""))
    for name in registry.names("datasets"):
        rows.append(_dataset(name, folders))
    return rows


def _summary(plugin: type[object]) -> str:
    return (plugin.__doc__ or "").strip().splitlines()[0]


def _torch() -> tuple[str, str, str]:
    import torch

    cards = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU build"
    return "device", f"{build}; {', '.join(cards) or 'cpu only'}", ""


def _onnxruntime() -> tuple[str, str, str]:
    import onnxruntime

    return "onnxruntime providers", ", ".join(onnxruntime.get_available_providers()), ""


def _opencv() -> tuple[str, str, str]:
    try:
        importlib.import_module("cv2")
    except ImportError as error:
        return "opencv", f"does not load: {error}", "pip install --force-reinstall opencv-python-headless"
    return "opencv", "loads", ""


def _home(home: Path) -> tuple[str, str, str]:
    there = next(p for p in (home, *home.parents) if p.exists())
    if not os.access(there, os.W_OK):
        return "BENCH_HOME", f"{home} cannot be written to", "set BENCH_HOME to a folder of yours"
    free = shutil.disk_usage(there).free / 2**30
    return "BENCH_HOME", f"{home}, {free:.0f} GiB free", ""


def _dataset(name: str, folders: Folders) -> tuple[str, str, str]:
    try:
        data = registry.load("datasets", name)().open(folders)
    except UserError as error:
        return f"dataset {name}", "missing", str(error)
    found = data.catalogue()
    return f"dataset {name}", f"{len(set(found.identities))} people, {len(found.photos)} photos", ""
