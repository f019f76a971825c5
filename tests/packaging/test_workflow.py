"""The workflow on GitHub runs what everybody runs, on every system and Python that the project is for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / ".github" / "workflows" / "test.yml").read_text("utf-8")


@pytest.fixture
def job() -> dict[str, Any]:
    only: dict[str, Any] = yaml.safe_load(TEXT)["jobs"]["test"]
    return only


def test_it_runs_make_test_and_nothing_else(job: dict[str, Any]) -> None:
    assert [step["run"] for step in job["steps"] if "run" in step] == ["make PYTHON=python test"]


def test_every_python_from_the_oldest_that_is_allowed(job: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    versions = job["strategy"]["matrix"]["python"]
    assert project["requires-python"] == f">={versions[0]}"
    minors = [int(version.removeprefix("3.")) for version in versions]
    assert minors == list(range(minors[0], minors[0] + 3))
    assert job["strategy"]["matrix"]["system"] == ["ubuntu-latest", "macos-latest"]


def test_actions_are_pinned_by_their_major_version_and_see_no_secret(job: dict[str, Any]) -> None:
    actions = [step["uses"] for step in job["steps"] if "uses" in step]
    assert actions
    assert not [action for action in actions if not re.fullmatch(r"actions/[a-z-]+@v\d+", action)]
    assert "secrets" not in TEXT
    assert yaml.safe_load(TEXT)["permissions"] == {"contents": "read"}
