"""The state of this installation: what is here, what is missing, and what to type."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
from collections.abc import Sequence
from pathlib import Path

from bench import encoders, registry
from bench.errors import PassingError, UserError
from bench.faces import detectors
from bench.fetching.contents import odd_start
from bench.machine.environment import LIBRARIES
from bench.store import lock, weights
from bench.store.digests import versions
from bench.store.reasons import reason
from bench.store.sources import SOURCES
from bench.types import EncoderCard, Folders

Row = tuple[str, str, str]
"""Subject, state, and what to type where something is missing."""


def diagnosis(folders: Folders) -> list[Row]:
    """What is installed, found or missing, one row a thing. Looking changes nothing."""
    rows = [("python", platform.python_version(), "")]
    rows += [(name, version, "") for name, version in versions(LIBRARIES).items()]
    rows += [_torch(), _onnxruntime(), _opencv()]
    rows.append(_home(Path(folders.home)))
    real = folders.real_data or ""
    rows.append(
        ("BENCH_REAL_DATA", real or "not set", "" if real else "set it to a folder with lfw/, weights/")
    )
    rows += [_encoder(card, state, folders) for card, state in encoders.availability(folders)]
    rows += [_detector(name, folders) for name in detectors.names()]
    for name in registry.names("datasets"):
        rows.append(_dataset(name, folders))
    return rows


def screen(rows: Sequence[Row]) -> list[Row]:
    """The same on one screen: libraries in one row, and encoders that are alike in one."""
    single = {"python", *LIBRARIES}
    libraries = ", ".join(f"{s} {v}" for s, v, _ in rows if s in single and v != "absent")
    out: list[Row] = [("installed", libraries, "")]
    alike: dict[tuple[str, str], list[str]] = {}
    rest: list[Row] = []
    for subject, state, remedy in rows:
        kind, _, name = subject.partition(" ")
        if kind == "encoder":
            first = remedy.partition(", or ")[0]
            alike.setdefault((state, first.replace(name, "NAME")), []).append(name)
        elif subject not in single:
            (rest if kind == "dataset" else out).append((subject, state, remedy))
    for (state, remedy), names in alike.items():
        told = remedy if len(names) > 1 else remedy.replace("NAME", names[0])
        out.append((f"encoders {state}", ", ".join(names), told))
    form = next(iter(encoders.forms()))
    return [*out, *rest, ("encoder of yours", "a file with a card beside it", f"--encoder {form}")]


def _torch() -> Row:
    version = versions(["torch"])["torch"]
    if version.endswith("+cpu"):  # known without the second that loading torch takes
        return "device", "CPU build of torch; cpu only", ""
    import torch

    cards = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU build"
    return "device", f"{build} of torch; {', '.join(cards) or 'cpu only'}", ""


def _onnxruntime() -> Row:
    subject = "onnxruntime providers"
    try:
        found = importlib.import_module("onnxruntime").get_available_providers()
    except (ImportError, AttributeError) as error:  # of two builds in one folder, one may have left its half
        remedy = "pip uninstall -y onnxruntime onnxruntime-gpu, then pip install one of them"
        return subject, f"does not load: {reason(error)}", remedy
    return subject, ", ".join(found), ""


def _opencv() -> Row:
    try:
        importlib.import_module("cv2")
    except ImportError as error:
        remedy = "pip install --force-reinstall opencv-python-headless"
        return "opencv", f"does not load: {reason(error)}", remedy
    return "opencv", "loads", ""


def _home(home: Path) -> Row:
    there = next(p for p in (home, *home.parents) if p.exists())
    if not os.access(there, os.W_OK):
        return "BENCH_HOME", f"{home} cannot be written to", "set BENCH_HOME to a folder of yours"
    free = shutil.disk_usage(there).free / 2**30
    return "BENCH_HOME", f"{home}, {free:.0f} GiB free", ""


def _encoder(card: EncoderCard, state: str, folders: Folders) -> Row:
    """Its weights are compared with the digest that is stated or pinned; nothing is pinned here."""
    subject, remedy = f"encoder {card.name}", encoders.remedy(card, folders)
    if state != encoders.READY:
        return subject, "missing", remedy
    path = encoders.present(card, folders)
    if path is None:  # another package's
        return subject, state, ""
    try:
        with path.open("rb") as file:
            wrong = odd_start(path.name, file.read(512))
        should = card.sha256 or lock.recorded(path.name, folders)
        if not wrong and should and weights.digest(path) != should:
            wrong = "its sha256 is another"
    except (OSError, UserError) as error:
        return subject, f"cannot be verified: {error}", ""
    return subject, f"altered: {wrong}" if wrong else state, f"delete {path}, then {remedy}" if wrong else ""


def _detector(name: str, folders: Folders) -> Row:
    model, subject = detectors.lookup(name), f"detector {name}"
    if model.missing(folders):
        return subject, "missing", model.remedy(folders)
    try:
        model.check(folders)
    except UserError as error:
        return subject, "altered", str(error)
    return subject, encoders.READY, ""


def _dataset(name: str, folders: Folders) -> Row:
    plugin = registry.load("datasets", name)
    if field := getattr(plugin, "positional", None):
        return f"dataset {name}", f"any {field} of yours", f"bench run --dataset {name}:{field.upper()} …"
    try:
        data = plugin().open(folders)
        card = data.card
    except PassingError as error:
        return f"dataset {name}", "cannot be read", str(error)
    except UserError as error:
        return f"dataset {name}", "missing", f"bench fetch {name}" if name in SOURCES else str(error)
    if card.identities is None or card.photos is None:
        found = data.catalogue()
        return f"dataset {name}", f"{len(set(found.identities))} people, {len(found.photos)} photos", ""
    return f"dataset {name}", f"{card.identities} people, {card.photos} photos", ""
