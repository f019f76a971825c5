"""`bench new defense`: a folder that works as it is, and never writes over anything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench.cli import app
from bench.errors import UserError
from bench.scaffold.defense import new_defense

ROOT = Path(__file__).resolve().parents[2]


def python(*words: str, path: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Python with the folder installed beside what is installed, and a BENCH_HOME of its own."""
    environment = os.environ | {"PYTHONPATH": f"{path}{os.pathsep}{ROOT}", "BENCH_HOME": str(home)}
    return subprocess.run(
        [sys.executable, *words], env=environment, cwd=path, capture_output=True, text=True, check=False
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A new defense, with what an installation writes beside it."""
    made = tmp_path / "my-mask"
    new_defense("my-mask", made)
    described = made / "cloakbench_my_mask-0.1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: cloakbench-my-mask\nVersion: 0.1.0\n")
    (described / "entry_points.txt").write_text("[cloakbench.defenses]\nmy-mask = my_mask:PLUGIN\n")
    return made


def test_the_files_are_named_after_the_defense(tmp_path: Path) -> None:
    made = new_defense("my-mask", tmp_path / "mine")
    names = {"my_mask.py", "test_my_mask.py", "README.md", "pyproject.toml"}
    assert {path.name for path in made} == names == {path.name for path in (tmp_path / "mine").iterdir()}
    assert not any("$" in path.read_text() for path in made)
    assert 'my-mask = "my_mask:PLUGIN"' in (tmp_path / "mine" / "pyproject.toml").read_text()


@pytest.mark.slow
def test_it_is_a_defense_and_its_own_test_passes(folder: Path, tmp_path: Path) -> None:
    listed = python("-m", "bench.cli", "list", "defenses", path=folder, home=tmp_path)
    assert "my-mask" in listed.stdout, listed.stderr
    tested = python("-m", "pytest", "-q", "-p", "no:cacheprovider", path=folder, home=tmp_path)
    assert tested.returncode == 0, tested.stdout
    assert "3 passed" in tested.stdout


@pytest.mark.slow
def test_its_code_is_held_to_the_rules_of_this_project(folder: Path, tmp_path: Path) -> None:
    rules = ["--config", str(ROOT / "pyproject.toml")]
    as_for_tests = ["--per-file-ignores", "test_*.py:D"]
    for words in (["check", *rules, *as_for_tests], ["format", "--check", *rules]):
        found = python("-m", "ruff", *words, "my_mask.py", "test_my_mask.py", path=folder, home=tmp_path)
        assert found.returncode == 0, found.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["defense", "mask"], "Type bench new defense mask --out mask."),
        (["defense", "My Mask", "--out", "x"], "a name has small letters and digits"),
        (["defense", "advmask", "--out", "x"], "there is a defense 'advmask' already"),
        (["attacker", "mine", "--out", "x"], "no kind 'attacker'"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(
    words: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["new", *words])
    assert isinstance(result.exception, UserError)
    assert told in str(result.exception) and "\n" not in str(result.exception)
    assert not list(tmp_path.iterdir())


def test_files_that_are_there_stay(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(UserError, match=r"README\.md is there already, and nothing was written"):
        new_defense("my-mask", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    assert (tmp_path / "README.md").read_text() == "mine"
