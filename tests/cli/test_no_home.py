"""A user without a home folder, as in a container: one line that says what to set, or no need of one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOBODY = """
import pwd, sys

def unknown(*_):
    raise KeyError("no such user")

pwd.getpwuid = pwd.getpwnam = unknown
sys.argv = ["bench", *sys.argv[1:]]
from bench.cli import main
main()
"""
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def nobody() -> Run:
    """`bench …` for a user whom the system does not know, and who has no HOME."""

    def go(arguments: Sequence[str], **environment: str) -> subprocess.CompletedProcess[str]:
        homes = ("HOME", "USERPROFILE", "BENCH_HOME", "BENCH_REAL_DATA")
        kept = {name: value for name, value in os.environ.items() if name not in homes and "XDG" not in name}
        command = [sys.executable, "-c", NOBODY, *arguments]
        return subprocess.run(
            command, env=kept | environment, capture_output=True, text=True, check=False, cwd=ROOT
        )

    return go


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--defense", "none", "--attacker", "dbscan"),
        ("verify", "synth-ir"),
        ("manifest", "--users", "2"),
        ("manifest", "--left-out"),
        ("list",),
        ("doctor",),
        ("fetch", "--list"),
    ],
)
def test_a_verb_that_needs_a_home_says_what_to_set(nobody: Run, arguments: Sequence[str]) -> None:
    done = nobody(arguments)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("bench: there is no home folder")
    assert "Set BENCH_HOME to a folder of yours." in line


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--help",),
        ("schema",),
        ("board", "results/built-in"),
        ("board", "results/draws", "--view", "panel", "--format", "md"),
        ("curve", "results/draws", "--axis", "calibration", "--out", "OUT"),
    ],
)
def test_a_verb_that_needs_no_home_works(nobody: Run, arguments: Sequence[str], tmp_path: Path) -> None:
    done = nobody([word.replace("OUT", str(tmp_path / "curve.png")) for word in arguments])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["curve.png"] * ("OUT" in arguments)


@pytest.mark.parametrize(
    "arguments",
    [("list",), ("doctor",), ("fetch", "--list"), ("manifest", "--users", "2"), ("list", "--json")],
)
def test_with_bench_home_nobody_lacks_a_home(nobody: Run, arguments: Sequence[str], tmp_path: Path) -> None:
    done = nobody(arguments, BENCH_HOME=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


@pytest.mark.parametrize("option", [("--encoder", "onnx:~/net.onnx"), ("--dataset", "folder:~/photos")])
def test_a_tilde_that_leads_nowhere_is_a_name_like_any_other(
    nobody: Run, option: Sequence[str], tmp_path: Path
) -> None:
    run = ("run", "--defense", "none", "--attacker", "dbscan", "--encoder", "synth-ir", *option)
    done = nobody(run, BENCH_HOME=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "~" in line
