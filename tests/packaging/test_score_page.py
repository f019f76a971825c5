"""The page on cloaks of other tools: its example runs as it stands."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
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
