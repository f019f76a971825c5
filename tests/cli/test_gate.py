"""`bench gate` and `bench compare`: exit statuses, formats, files, and a fault of ours that is no verdict."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.gate import verdict as judging

Command = Callable[..., Any]
Plant = Callable[..., Path]


def cell(count: int | None, of: int = 60, **changes: Any) -> dict[str, Any]:
    return {"found": None if count is None else [i < count for i in range(of)], **changes}


@pytest.mark.parametrize(
    ("now", "status", "begins"),
    [(10, 0, "passed: "), (40, 1, "weaker: "), (None, 2, "could not tell: "), (14, 3, "underpowered: ")],
)
def test_each_verdict_has_its_status_and_its_line(
    bench: Command, plant: Plant, tmp_path: Path, now: int | None, status: int, begins: str
) -> None:
    before, after = plant("before", cell(10)), plant("after", cell(now))
    reports = tmp_path / "reports" / "junit.xml", tmp_path / "reports" / "summary.md"
    told = ("--baseline", before, "--max-drop", "0.1", "--junit", reports[0], "--summary", reports[1])
    done = bench("gate", after, *told)
    assert (done.status, done.err) == (status, "")
    assert done.out.startswith(begins)
    assert reports[0].read_text("utf-8").startswith("<?xml")
    assert reports[1].read_text("utf-8").startswith(f"## bench gate: {begins[:-2]}\n")
    document = bench(
        "gate", after / "records.json", "--baseline", before / "records.json", *told[2:4], "--json"
    )
    assert (document.status, json.loads(document.out)["status"]) == (status, status)


def test_annotations_go_to_stderr_so_that_json_stays_json(bench: Command, plant: Plant) -> None:
    before, after = plant("before", cell(10)), plant("after", cell(40))
    done = bench("gate", after, "--baseline", before, "--max-drop", "0.1", "--annotate", "--json")
    assert json.loads(done.out)["verdict"] == "weaker"
    assert done.err.startswith("::error title=bench gate%3A weaker::weaker: mask")


def test_mistakes_are_one_line_and_could_not_tell(bench: Command, plant: Plant, tmp_path: Path) -> None:
    before = plant("before", cell(10))
    told = ("--baseline", before, "--max-drop")
    assert "no records at" in bench("gate", tmp_path / "nowhere", *told, "0.1").one_line()
    assert "--max-drop 2 is no share of users" in bench("gate", before, *told, "2").one_line()
    assert "--max-drop" in bench("gate", before, *told, "much").one_line()
    assert "Missing option '--baseline'" in bench("gate", before, "--max-drop", "0.1").one_line()
    assert "no format 'xml'" in bench("gate", before, *told, "0.1", "--format", "xml").one_line()
    assert "is a directory" in bench("gate", before, *told, "0.1", "--junit", tmp_path).one_line().lower()
    (before / "users.parquet").write_bytes(b"PAR1")
    assert "users.parquet is damaged" in bench("gate", before, *told, "0.1").one_line()
    (before / "records.json").write_text('{"schema_version": 2, "cells": []}', "utf-8")
    assert "holds no cell that can be compared" in bench("gate", before, *told, "0.1").one_line()


def test_a_fault_of_ours_is_a_traceback_and_never_weaker(
    bench: Command, plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = plant("before", cell(10))

    def fault(*_: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(judging, "runs", fault)
    done = bench("gate", before, "--baseline", before, "--max-drop", "0.1")
    assert (done.status, done.out) == (2, "")
    assert "Traceback" in done.err and "ZeroDivisionError: ours" in done.err


def test_compare_prints_what_it_writes(bench: Command, plant: Plant, tmp_path: Path) -> None:
    before, after = plant("before", cell(10)), plant("after", cell(40))
    out = tmp_path / "table.md"
    printed = bench("compare", before, after, "--format", "md").out
    assert bench("compare", before, after, "--format", "md", "--out", out).out == ""
    assert out.read_text("utf-8") == printed
    (row,) = json.loads(bench("compare", before, after, "--json").out)
    assert (row["second_only"], row["apart"]) == (30, True)
    assert "bench compare a b --records DIR" in bench("compare", "a", "b").one_line()
