"""The command line: in this process for speed, in one of its own where that matters."""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ENCODER = "synth-ir"
SMALL = (
    *("--dataset", "synthetic:people=12,photos-each=6", "--encoder", ENCODER, "--device", "cpu"),
    *("--users", "2", "--photos", "4", "--background", "2"),
)
"""12 people: 2 users, 6 to calibrate on, 2 for reference, 2 in the background."""


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    def told(self) -> list[str]:
        """Lines on stderr, less the progress that a slow machine shows."""
        return [text for text in self.err.splitlines() if not re.search(r": \d+/\d+(,| in )", text)]

    def one_line(self) -> str:
        """What it says about the user's mistake, and that it says only this."""
        assert self.status == 2, self
        assert self.out == ""
        (line,) = self.told()
        assert line.startswith("bench: ")
        assert self.err.endswith("\n")
        assert "Traceback" not in self.err
        return line + "\n"


Command = Callable[..., Done]


@pytest.fixture(scope="session")
def encoder() -> str:
    """What the small runs embed with."""
    return ENCODER


@pytest.fixture(scope="session")
def small() -> tuple[str, ...]:
    """Options of a run that takes a second once its photos are drawn."""
    return SMALL


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """`bench …` in this process."""
    from bench.cli import main

    def go(*arguments: str | Path, **environment: str | Path | None) -> Done:
        for name, value in environment.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, str(value))
        monkeypatch.setattr(sys, "argv", ["bench", *map(str, arguments)])
        monkeypatch.setattr(logging.root, "handlers", [])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Done(int(ended.value.code or 0), said.out, said.err)

    return go


@pytest.fixture(scope="session")
def process() -> Command:
    """`bench …` in a process of its own."""

    def go(*arguments: str | Path, **environment: str | Path) -> Done:
        command: Sequence[str] = [sys.executable, "-m", "bench.cli", *map(str, arguments)]
        variables = os.environ | {name: str(value) for name, value in environment.items()}
        made = subprocess.run(
            command, env=variables, capture_output=True, text=True, timeout=600, check=False
        )
        return Done(made.returncode, made.stdout, made.stderr)

    return go


@pytest.fixture
def real_folder(tmp_path: Path) -> Path:
    """A BENCH_REAL_DATA of the test's own, with the weights of the real one where there are any."""
    folder = tmp_path / "real"
    (folder / "lfw").mkdir(parents=True)
    given = os.environ.get("BENCH_REAL_DATA")
    if given and (Path(given) / "weights").is_dir():
        (folder / "weights").symlink_to(Path(given, "weights").resolve())
    else:
        (folder / "weights").mkdir()
    return folder


@pytest.fixture
def copied_home(bench_home: Path, tmp_path: Path) -> Path:
    """A BENCH_HOME that may be damaged."""
    home = tmp_path / "home"
    shutil.copytree(bench_home, home)
    return home
