"""Submissions that tests forge: two cells of what the demo computes, in a folder of their own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bench.machine.progress import Silent
from bench.submission.report import Report
from bench.submission.validation import validate

RESULTS = Path(__file__).resolve().parents[2] / "results"

Change = Callable[[list[dict[str, Any]], pd.DataFrame, pd.DataFrame], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The records and tables of two cells: `noise` and `advmask` through synth-inc."""
    source, out = RESULTS / "built-in", tmp_path / "handed in"
    out.mkdir()
    document = json.loads((source / "records.json").read_text("utf-8"))
    document["cells"] = [
        cell
        for cell in document["cells"]
        if cell["encoder"]["name"] == "synth-inc" and cell["defense"]["name"] in ("noise", "advmask")
    ]
    cells = [cell["cell"] for cell in document["cells"]]
    (out / "records.json").write_text(json.dumps(document), "utf-8")
    for name in ("users", "photos"):
        table = pd.read_parquet(source / f"{name}.parquet")
        table[table["cell"].isin(cells)].to_parquet(out / f"{name}.parquet", index=False)
    shutil.copy(source / "COMMAND", out / "COMMAND")
    return out


@pytest.fixture
def forge(folder: Path) -> Callable[[Change], Path]:
    """Changes the records and tables of the folder, as somebody who cheats would."""

    def forged(change: Change) -> Path:
        document = json.loads((folder / "records.json").read_text("utf-8"))
        users, photos = (pd.read_parquet(folder / f"{name}.parquet") for name in ("users", "photos"))
        change(document["cells"], users, photos)
        (folder / "records.json").write_text(json.dumps(document), "utf-8")
        users.to_parquet(folder / "users.parquet", index=False)
        photos.to_parquet(folder / "photos.parquet", index=False)
        return folder

    return forged


@pytest.fixture
def checked() -> Callable[..., Report]:
    """Validates; cells are not resolved again unless that is asked for, which takes a second each."""

    def check(path: Path, digests: int = 0) -> Report:
        return validate(path, Silent(), digests=digests)

    return check


@pytest.fixture
def wrong(checked: Callable[..., Report]) -> Callable[..., set[tuple[str, str]]]:
    """Validates, and gives the check and the field of everything that does not match."""

    def found(path: Path, digests: int = 0) -> set[tuple[str, str]]:
        report = checked(path, digests)
        return {(check.name, mismatch.field) for check in report.checks for mismatch in check.mismatches}

    return found
