"""The demonstrations of the Makefile run one job, and say what is missing where there are no real photos."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")


def words(target: str) -> list[str]:
    """The words of `bench` in the recipe of a target, by make itself; nothing is run."""
    command = ["make", "-n", "-o", "env", target]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (line,) = [line for line in printed.splitlines() if "bin/bench run" in line]
    return shlex.split(line)[1:]


def values(target: str, option: str) -> list[str]:
    given = words(target)
    return [given[i + 1] for i, word in enumerate(given) if word == f"--{option}"]


@pytest.mark.parametrize("target", ["demo", "demo-real"])
def test_both_run_the_main_job(target: str) -> None:
    assert values(target, "defense") == ["none", "noise", "advmask"]
    assert values(target, "attacker") == ["dbscan"]
    assert values(target, "budget") == ["linf:8"]


def test_the_real_one_is_on_lfw_and_shows_nobody() -> None:
    assert values("demo-real", "dataset") == ["lfw"]
    assert values("demo-real", "encoder") == ["dlib"]
    assert not values("demo-real", "preview")


def test_the_matrix_is_the_roster_on_as_many_photos_as_the_readme_says() -> None:
    photos = int(values("demo-matrix", "users")[0]) * int(values("demo-matrix", "photos")[0])
    assert values("demo-matrix", "suite") == ["roster"]
    assert f"every defense on {photos} built-in photos" in (ROOT / "README.md").read_text("utf-8")


def test_without_photos_one_line_says_what_is_missing(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "BENCH_REAL_DATA"}
    done = subprocess.run(
        [sys.executable, "-m", "bench.cli", *words("demo-real")],
        env=environment | {"BENCH_HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    (said,) = done.stderr.splitlines()
    for part in ("no photos of data set 'lfw' in", str(tmp_path), "BENCH_REAL_DATA", "bench fetch lfw"):
        assert part in said
    assert not done.stdout
