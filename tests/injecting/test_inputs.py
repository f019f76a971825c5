"""Every input that failed once has its committed rows before and after, in the words of its script."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import reliability_tables

from injecting.inputs import record
from injecting.inputs.checkout import Done
from injecting.inputs.seen import Input, Seen, all_of, refused, went_well
from injecting.inputs.workshop import Workshop

BEFORE, AFTER = (record.read(when)["inputs"] for when in ("before", "after"))


def test_every_row_of_the_list_has_an_input() -> None:
    rows = {given.row for given in record.known().values()}
    assert rows == {*(f"F{i}" for i in range(1, 16)), *(f"R{i}" for i in range(1, 8)), "N"}


@pytest.mark.parametrize("rows", [BEFORE, AFTER], ids=["before", "after"])
def test_every_input_has_its_committed_row(rows: dict[str, Any]) -> None:
    known = record.known()
    assert list(rows) == list(known)
    for name, row in rows.items():
        assert (row["row"], row["given"]) == (known[name].row, known[name].given), name
        assert rows is BEFORE or row["right_is"] == known[name].right, name
        assert not re.search(r"/tmp|/home/|/root", row["says"])


def test_every_input_failed_once() -> None:
    assert {row["commit"][:7] for row in BEFORE.values()} == {"87eb7ea"}
    assert [name for name, row in BEFORE.items() if row["right"] or row["dirty"]] == []


def done(status: int | None, out: str = "", err: str = "") -> Done:
    return Done(status, out, err, 1.0, 100)


TRACE = "Traceback (most recent call last):\n  File\nKeyError: 'cell'\n"


def test_a_verdict_sees_what_is_wrong() -> None:
    line = "bench: no records at x. Name a folder.\n"
    assert refused(done(2, err=line), "RECORDS").right
    assert refused(done(2, err=f"cloak none: 8/8 in 2 s\n{line}")).right  # progress is no second line
    for wrong in (done(0), done(1, err=line), done(2), done(2, err=line * 2), done(2, "x", line)):
        assert not refused(wrong).right
    assert not refused(done(2, err=line), "card").right
    assert went_well(done(0, "a board")).right
    for wrong in (done(2), done(0, err=TRACE), done(None), done(-9)):
        assert not went_well(wrong).right
    assert not went_well(done(0, err="a remark\n"), silent=True).right
    assert str(done(1, err=TRACE)) == "exit 1, 3 lines on stderr, 1 traceback"
    assert str(done(-9)) == "ended by SIGKILL"
    some = {"a": Seen("exit 2", True), "b": Seen("exit 1", False), "c": Seen("exit 1", False)}
    assert all_of(some) == Seen("2 of 3 wrong: exit 1 (b, c)", False)
    assert all_of({"a": some["a"]}).right


def test_an_input_keeps_the_rows_of_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def looked(workshop: Workshop) -> Seen:
        raise NotImplementedError

    two = {name: Input("N", name, "given", "right", looked) for name in ("a", "b")}
    monkeypatch.setattr(record, "known", lambda: two)
    monkeypatch.setattr(record, "commit_of", lambda code: {"commit": str(code), "dirty": False})
    every = {name: {"says": "exit 0", "right": True} for name in two}
    record.write("after", Path("1"), every, tmp_path)
    record.write("after", Path("2"), {"b": {"says": "exit 2", "right": False}}, tmp_path)
    rows = record.read("after", tmp_path)["inputs"]
    assert [(row["commit"], row["right"]) for row in rows.values()] == [("1", True), ("2", False)]
    monkeypatch.setattr(record, "known", lambda: {"b": two["b"]})
    record.write("after", Path("2"), {}, tmp_path)
    assert list(record.read("after", tmp_path)["inputs"]) == ["b"]


def test_the_page_says_what_is_still_wrong() -> None:
    printed = reliability_tables.printed("inputs").splitlines()[2:]
    assert len(printed) == len(AFTER)
    for line, row in zip(printed, AFTER.values(), strict=True):
        assert line.count("**wrong:**") == 2 - row["right"]
