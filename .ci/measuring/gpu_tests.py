"""The step that runs the project's own tests which need a CUDA device."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

from measuring.record import Figure
from measuring.running import MissingError
from measuring.setting import Setting

ROOT = Path(__file__).resolve().parents[2]
_MARK = "pytest.mark.cuda"
_ABSENT = re.compile(r"No module named '(\w+)")
_TIMEOUT = 120


def marked(setting: Setting) -> Iterator[Figure]:
    """Run every test that is marked `cuda`, in a process of its own. On a CPU each of them skips itself.

    Raises:
        MissingError: on a CPU, and if a package that one of their files imports is not here.
    """
    del setting  # a test chooses its own sizes
    importlib.import_module("pytest")  # in this process, so that its absence is told as any other
    yield from _counted(cases(files()))


def files() -> list[Path]:
    """The files in which a test is marked."""
    return sorted(path for path in ROOT.glob("tests/**/test_*.py") if _MARK in path.read_text("utf-8"))


def cases(paths: Sequence[Path | str]) -> list[ElementTree.Element]:
    """How each marked test of some files ended, as pytest's JUnit report has it.

    Raises:
        RuntimeError: if pytest wrote no report.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        options = ["-m", "cuda", "-o", "addopts=--import-mode=importlib", "--continue-on-collection-errors"]
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
        done = subprocess.run(
            [*command, f"--junitxml={report}", *map(str, paths)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
        if not report.is_file():
            raise RuntimeError(f"pytest wrote no report:\n{done.stdout}")
        return list(ElementTree.parse(report).iter("testcase"))


def _counted(cases: list[ElementTree.Element]) -> Iterator[Figure]:
    broken = [child.text or "" for case in cases for child in case if child.tag in ("failure", "error")]
    absent = sorted({match[1] for text in broken for match in _ABSENT.finditer(text)})
    failed = [text for text in broken if not _ABSENT.search(text)]
    skipped = sum(child.tag == "skipped" for case in cases for child in case)
    sys.stderr.write("".join(f"{text}\n" for text in failed))
    subject = "tests marked cuda"
    yield Figure(subject, "tests that failed", len(failed), "tests", "≤", 0)
    yield Figure(subject, "tests that passed", len(cases) - len(broken) - skipped, "tests")
    yield Figure(subject, "tests that were skipped", skipped, "tests")
    if absent:
        raise MissingError(", ".join(absent))
    if cases and skipped == len(cases):
        raise MissingError("a CUDA device")
