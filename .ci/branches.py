"""Which share of a room's branches the tests take, and the floor that it must not fall below.

`make test` measures the rooms of ROOMS while it runs the tests of TESTS, and fails below FLOOR. A branch is a
way out of a line that has several: each side of an `if`, the end of a loop and one more turn of it.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

FLOOR = 90.0
"""Per cent of branches, in every room."""
ROOMS = ("metrics", "uncertainty", "plan", "release", "attack")
"""Folders of `bench/` that numbers come from."""
TESTS = (*ROOMS, "experiment")
"""Folders of `tests/` whose tests count, but for those marked `slow`."""


def measured() -> dict[str, Any]:
    """What the tests just left in `.coverage`, file by file."""
    from coverage import Coverage

    coverage = Coverage()
    coverage.load()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        coverage.json_report(outfile=str(report))
        files: dict[str, Any] = json.loads(report.read_text("utf-8"))["files"]
    return files


def shares(files: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Per cent of branches taken in each room; NaN where a room has no file that was measured.

    Args:
        files: Path -> what coverage's JSON report says of it, as under `files`.
    """
    taken: Counter[str] = Counter()
    existing: Counter[str] = Counter()
    for path, figures in files.items():
        room = PurePosixPath(path).parts[1]
        taken[room] += figures["summary"].get("covered_branches", 0)
        existing[room] += figures["summary"].get("num_branches", 0)
    return {room: 100 * taken[room] / existing[room] if existing[room] else float("nan") for room in ROOMS}


def below(percent: Mapping[str, float]) -> list[str]:
    """The rooms that are not at the floor; one that was not measured is among them."""
    return [room for room, share in percent.items() if not share >= FLOOR]
