"""Every committed folder of records validates: nobody has touched a figure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.records.files import CELLS
from bench.submission.report import Report

RESULTS = Path(__file__).resolve().parents[2] / "results"
FOLDERS = sorted(path.parent for path in RESULTS.glob(f"*/{CELLS.file}*"))


def test_there_are_committed_folders() -> None:
    assert len(FOLDERS) >= 8


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_a_committed_folder_validates(folder: Path, checked: Callable[..., Report]) -> None:
    report = checked(folder)
    assert report.matches, report.to_text()
    compared = {check.name: check.compared for check in report.checks}
    assert min(compared[name] for name in ("rates", "users", "outcomes", "knowledge", "flags")) > 0
