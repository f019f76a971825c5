"""What is exported answers whoever names it as a shared store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.machine.progress import Silent
from bench.store.shared import VARIABLE
from bench.upkeep import export as module
from bench.upkeep.export import export


def test_everything_is_exported(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: Any
) -> None:
    done = export(home, str(tmp_path / "to"), None, Silent())
    assert (done.results, done.damaged, done.unexplained) == (9, 0, 0)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "to"))
    assert known.held(tmp_path / "other") == known.held(home)


@pytest.mark.parametrize("at_once", [1, 2, 4096])
def test_only_what_some_records_need_is_exported(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int, known: Any
) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", at_once)
    assert export(home, str(tmp_path / "to"), frozenset({"b"}), Silent()).results == 6
    monkeypatch.setenv(VARIABLE, str(tmp_path / "to"))
    assert known.held(tmp_path / "other") == known.OF_CELL_B


def test_a_second_export_changes_nothing(home: Path, tmp_path: Path) -> None:
    def files() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in (tmp_path / "to").rglob("*") if path.is_file()}

    first = export(home, str(tmp_path / "to"), None, Silent())
    before = files()
    assert export(home, str(tmp_path / "to"), None, Silent()) == first
    assert files() == before


def test_damaged_results_are_left_out_and_told(home: Path, tmp_path: Path, known: Any) -> None:
    cloak = home / "cache" / "cloak" / known.CLOAK_A[:2] / known.CLOAK_A
    cloak.write_bytes(cloak.read_bytes()[:-3])
    done = export(home, str(tmp_path / "to"), None, Silent())
    assert (done.results, done.damaged) == (8, 1)
    assert not (tmp_path / "to" / "cloak").exists()
