"""The page on submissions: its examples run as they stand."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from bench.records import read

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "submit.md").read_text("utf-8")


def commands(text: str) -> list[list[str]]:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", text.replace("\\\n", " "), re.S | re.M)
    return [shlex.split(line) for kind, block in blocks if not kind for line in block.splitlines()]


@pytest.mark.slow
def test_the_examples_of_the_page_run(tmp_path: Path) -> None:
    (tool,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.S | re.M)
    (tmp_path / "colours.py").write_text(tool, "utf-8")
    path = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    verbs = []
    for program, *words in commands(PAGE):
        if "CELL" in words:
            records = read(tmp_path / "out" / "mine")
            words[words.index("CELL")] = next(r.cell for r in records if r.defense.name == "noise")
        start = {"bench": [sys.executable, "-m", "bench.cli"], "python": [sys.executable]}[program]
        subprocess.run([*start, *words], cwd=tmp_path, check=True, env=os.environ | {"PYTHONPATH": path})
        verbs.append(words[0])
    assert {"run", "submit", "validate", "judge", "board"} <= set(verbs)
    (record,) = read(tmp_path / "out" / "theirs")
    assert record.by is not None
    assert (record.by.name, record.defense.name, record.attacker.name) == ("Ben Ode", "noise", "colours")
    clusters = set(json.loads((tmp_path / "attack.json").read_text("utf-8"))["assignment"].values())
    assert len(clusters) > 2  # every photo was found and looked at
    assert -1 not in clusters


def test_the_page_names_every_check() -> None:
    table = PAGE.split("| check | is recomputed from |")[1].split("\n\n")[0]
    told = set(re.findall(r"`([^`]+)`", " ".join(re.findall(r"^\| ([^|]+) \|", table, re.M))))
    source = "".join(path.read_text("utf-8") for path in (ROOT / "bench/submission/checks").glob("*.py"))
    assert told == set(re.findall(r'Check\("([^"]+)",', source))
