"""One version, written in four places."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import bench
from bench.store.code import SILENT_ROOMS

ROOT = Path(__file__).resolve().parents[2]


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    citation = re.findall(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text("utf-8"), re.M)
    changes = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert project["version"] == bench.__version__
    assert citation == [bench.__version__]
    assert changes[0] == bench.__version__


def test_the_module_that_holds_the_version_is_in_no_key() -> None:
    assert "bench" in SILENT_ROOMS
