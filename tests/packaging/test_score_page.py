"""The page on cloaks of other tools: its example runs as it stands."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.plan.command_file import CommandFile, command_defense
from bench.protocols import Kit
from bench.records import read
from bench.types import Album, Budget

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "score-your-cloaks.md").read_text("utf-8")


def test_the_command_of_the_page_on_defenses_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "add-a-defense.md").read_text("utf-8").split("## A command in any language")[1]
    stated = re.findall(r"^```toml\n(.*?)^```", page, re.S | re.M)[0]
    (tmp_path / "shade.toml").write_text(stated, "utf-8")
    tool = re.findall(r"^```python\n(.*?)^```", PAGE, re.S | re.M)[0]
    (tmp_path / "shade.py").write_text(tool, "utf-8")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    chosen = command_defense(str(tmp_path / "shade.toml"))
    chosen.plugin.check(Budget("linf", 8))
    photo = np.full((4, 5, 3), 100, np.uint8)
    engine: Any = None
    kit = Kit(Budget("linf", 8), 0, (), Album((), (), ()), engine, "cpu")
    [[cloak]] = chosen.plugin.cloak([Album((photo,), (None,), ("a",))], kit)
    assert (chosen.name, np.unique(cloak).tolist()) == ("shade 1.0", [94])
    told = {
        name for row in re.findall(r"^\| (`[^|]*) \|", page, re.M) for name in re.findall(r"`(\w+)`", row)
    }
    assert told == set(CommandFile.model_fields)


@pytest.mark.slow
def test_the_example_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runnable = PAGE.split("## An example that runs anywhere")[1]
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", runnable, re.S | re.M)
    (_, tool), (_, commands), (_, from_python) = blocks
    (tmp_path / "shade.py").write_text(tool, "utf-8")
    path = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    for line in commands.replace("\\\n", " ").splitlines():
        program, *words = shlex.split(line)
        start = {"bench": [sys.executable, "-m", "bench.cli"], "python": [sys.executable]}[program]
        subprocess.run([*start, *words], cwd=tmp_path, check=True, env=os.environ | {"PYTHONPATH": path})
    records = read(tmp_path / "out" / "shade")
    told = {(r.defense.name, r.level): (r.status, r.knowledge) for r in records}
    assert told == {
        (name, level): ("ok", "none")
        for name in ("shade 1.0", "none", "noise")
        for level in ("oblivious", "adaptive")
    }
    assert {r.perceptual["photo"]["linf"]["worst"] for r in records if r.defense.name == "shade 1.0"} == {6}
    monkeypatch.chdir(tmp_path)
    scope: dict[str, Any] = {}
    exec(compile(from_python, "score-your-cloaks.md", "exec"), scope)
    assert [record.defense.name for record in scope["records"]] == ["shade 1.0", "none"]


@pytest.mark.slow
def test_the_tools_of_the_page_take_part_each_in_its_environment(tmp_path: Path) -> None:
    for file in (ROOT / "docs" / "tools").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    environment_of_numpy_and_pillow(tmp_path / "env")
    small = ["--dataset", "synthetic:people=60,photos-each=6", "--photos", "3", "--background", "6"]
    bench_ = [sys.executable, "-m", "bench.cli"]
    tools = ["noise"] + ["pgd"] * (find_spec("torchattacks") is not None)
    called(tmp_path, *bench_, "manifest", *small, "--users", "2", "--write", "drawn")
    for tool in tools:
        called(tmp_path, sys.executable, f"{tool}.py", "drawn/users", f"by-{tool}")
    asked = [*small, "--encoder", "synth-inc", "--defense", "none", "--defense", "command:stripes.toml"]
    for tool in tools:
        stated = ["--tool", tool, "--tool-version", "1", "--surrogate", "none", "--out", f"out/{tool}"]
        folders = ["--original", "drawn/users", "--cloaked", f"by-{tool}"]
        called(tmp_path, *bench_, "score", *folders, *stated, *asked)
        records = {record.defense.name: record for record in read(tmp_path / "out" / tool)}
        assert set(records) == {f"{tool} 1", "none", "stripes 1.0"}
        for record in records.values():
            assert (record.status, record.outcomes.get("cloak_failed", 0)) == ("ok", 0)
        assert records["stripes 1.0"].perceptual["photo"]["linf"]["worst"] == 8
        worst = records[f"{tool} 1"].perceptual["photo"]["linf"]["worst"]
        assert worst is not None
        assert 0 < worst <= 8


def environment_of_numpy_and_pillow(folder: Path) -> None:
    """A Python environment in which there is nothing of this project, nor torch."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    ask = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    there = Path(
        subprocess.run([python, "-c", ask], check=True, capture_output=True, text=True).stdout.strip()
    )
    here = Path(np.__file__).parents[1]
    for name in ("numpy", "numpy.libs", "PIL", "pillow.libs"):
        if (here / name).exists():
            (there / name).symlink_to(here / name)
    for name, found in (("numpy", 0), ("PIL", 0), ("torch", 1), ("bench", 1)):
        tried = subprocess.run([python, "-I", "-c", f"import {name}"], capture_output=True, check=False)
        assert tried.returncode == found, name


def called(folder: Path, *words: str) -> None:
    path = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    subprocess.run(words, cwd=folder, check=True, env=os.environ | {"PYTHONPATH": path})
