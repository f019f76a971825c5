"""The floor of branches is by room, and its rooms are those that coverage measures."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Any

import branches

ROOT = Path(__file__).resolve().parents[2]


def figures(taken: int, existing: int) -> dict[str, Any]:
    return {"summary": {"covered_branches": taken, "num_branches": existing}}


def test_a_room_is_the_sum_of_its_files() -> None:
    files = {
        "bench/plan/cells.py": figures(9, 10),
        "bench/plan/suites/__init__.py": figures(1, 2),
        "bench/release/costs.py": figures(9, 10),
        "bench/attack/judge.py": figures(0, 0),
    }
    percent = branches.shares(files)
    assert percent["plan"] == 100 * 10 / 12
    assert percent["release"] == 90
    # a file without a branch says nothing, and neither does a room without a file
    assert math.isnan(percent["attack"]) and math.isnan(percent["metrics"])
    assert branches.below(percent) == ["metrics", "uncertainty", "plan", "attack"]


def test_coverage_measures_these_rooms_and_they_exist() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    assert tools["coverage"]["run"]["source"] == [f"bench/{room}" for room in branches.ROOMS]
    assert tools["coverage"]["run"]["branch"]
    assert not [room for room in branches.ROOMS if not (ROOT / "bench" / room).is_dir()]
    assert not [folder for folder in branches.TESTS if not (ROOT / "tests" / folder).is_dir()]
