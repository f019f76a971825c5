"""The page on exports: its commands run as they stand, and its table names every format."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from bench.exports.formats import names

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "export.md").read_text("utf-8")
COMMANDS = re.findall(r"^bench (export .*)$", PAGE, re.M)


def test_the_page_names_every_format_and_no_other() -> None:
    assert sorted(re.findall(r"--to ([\w-]+)", "\n".join(COMMANDS))) == names()
    table = PAGE.split("| `--to` | writes |")[1].split("\n\n")[0]
    assert sorted(re.findall(r"^\| `([\w-]+)` \|", table, re.M)) == names()


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_runs(command: str, tmp_path: Path) -> None:
    (tmp_path / "results").symlink_to(ROOT / "results")
    path = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    done = subprocess.run(
        [sys.executable, "-m", "bench.cli", *shlex.split(command)],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    )
    written = done.stdout.splitlines()
    assert written
    assert all((tmp_path / name).stat().st_size for name in written)
