"""All formats render the same rows; programs get the rows' own numbers, and people get them rounded."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from bench.board import render, views
from bench.board.curve_table import curve_table
from bench.board.curves import curves
from bench.board.render.csv import harmless as csv_text
from bench.board.table import Column, Table
from bench.board.user_tables import read_users
from bench.board.values import Strongest
from bench.board.wording import worded
from bench.cli import app
from bench.errors import UserError
from bench.records import Metric, read
from bench.types import Flag, FlagCode
from bench.verification import table as verification
from bench.verification.records import read as read_verifications

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "results"


NAMES = [*views.names(), "curves", "encoders"]


@cache
def tables() -> dict[str, Table[Any]]:
    """One of each kind, of committed records."""
    folder = RESULTS / "distractors"
    records, users = list(read(folder)), read_users(folder)
    return {
        **{name: views.view(name).table(records, users) for name in views.names()},
        "curves": curve_table(curves(records, users, "distractors"), "distractors"),
        "encoders": verification.table(read_verifications(RESULTS / "encoders")),
    }


def plain(value: Any) -> Any:
    """A value of a row as JSON should have it, written down here once more by hand."""
    if isinstance(value, Metric):
        return {
            "value": value.value,
            "low": value.low,
            "high": value.high,
            "n": value.n,
            "better": value.better,
            "bounds": None if value.bounds is None else list(value.bounds),
        }
    if isinstance(value, Flag):
        return {"code": value.code.value, "reason": value.reason}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    return value


def scalars(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Column of the CSV -> number or text, for a value as `plain` gives it."""
    if isinstance(value, dict) and "value" in value and "better" in value:
        low, high = value["bounds"] or (None, None)
        yield from ((name, value["value"]), (f"{name}_low", value["low"]), (f"{name}_high", value["high"]))
        yield from ((f"{name}_n", value["n"]), (f"{name}_bounds_low", low), (f"{name}_bounds_high", high))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from scalars(item, f"{name}_{key}")
    elif not isinstance(value, list):
        yield name, value


def assert_equal_numbers(table: Table[Any]) -> None:
    expected = [plain(row) for row in table.rows]
    assert json.loads(render.render("json", table)) == expected
    lines = list(csv.DictReader(io.StringIO(render.render("csv", table))))
    assert len(lines) == len(expected)
    for line, row in zip(lines, expected, strict=True):
        for field, value in row.items():
            for name, number in scalars(value, field):
                if number is None:
                    assert line.get(name, "") == ""  # a part that is absent has only its own columns
                elif isinstance(number, bool):
                    assert line[name] == ("true" if number else "false")
                elif isinstance(number, int | float):
                    assert type(number)(line[name]) == number
                else:
                    assert line[name] == csv_text(number)


@pytest.mark.parametrize("name", NAMES)
def test_numbers_of_json_and_csv_are_those_of_the_rows(name: str) -> None:
    assert tables()[name].rows
    assert_equal_numbers(tables()[name])


@pytest.mark.parametrize("name", NAMES)
def test_text_and_markdown_have_every_row_in_the_same_words(name: str) -> None:
    table = tables()[name]
    headings, rows = worded(table)
    lines = render.render("md", table).splitlines()[: 2 + len(rows)]
    cells = [line.removeprefix("| ").removesuffix(" |").split(" | ") for line in lines]
    assert cells[0] == headings
    assert [[cell.replace("\\*", "*") for cell in row] for row in cells[2:]] == rows
    text = render.render("text", table)
    assert all(word in text for row in rows for cell in row for word in cell.split() if len(word) < 12)


@pytest.mark.parametrize("name", NAMES)
def test_no_number_for_programs_is_a_text(name: str) -> None:
    # "1.00 [0.84, 1.00]" and "20" were what JSON had once
    def texts(value: Any) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict | list):
            for item in value.values() if isinstance(value, dict) else value:
                yield from texts(item)

    for text in texts(json.loads(render.render("json", tables()[name]))):
        with pytest.raises(ValueError, match="could not convert"):
            float(text.split(" [")[0])


@pytest.mark.parametrize("format_", render.names())
@pytest.mark.parametrize("name", NAMES)
def test_every_format_has_every_table_with_and_without_rows(format_: str, name: str) -> None:
    table = tables()[name]
    assert render.render(format_, table).endswith("\n")
    empty = render.render(format_, Table(table.kind, (), table.columns))
    assert empty.endswith("\n")
    assert len(empty) < len(render.render(format_, table))


@dataclass(frozen=True)
class Toy:
    """One value of each kind."""

    name: str
    flags: tuple[Flag, ...]
    words: tuple[str, ...]
    rate: Metric | None
    attack: Strongest | None
    number: float | None
    count: int


COLUMNS: tuple[Column[Toy], ...] = (
    Column("name", lambda row: row.name),
    Column("rate", lambda row: row.rate),
    Column("count", lambda row: row.count),
    Column("flags", lambda row: "; ".join(map(str, row.flags)), common=False),
)

FINITE = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=20)
METRICS = st.builds(
    Metric,
    value=st.none() | FINITE,
    low=st.none() | FINITE,
    high=st.none() | FINITE,
    n=st.integers(0, 10**9),
    better=st.sampled_from(["lower", "higher", "none"]),
    bounds=st.none() | st.tuples(FINITE, FINITE),
)
FLAGS = st.lists(st.builds(Flag, st.sampled_from(FlagCode), TEXTS), max_size=3).map(tuple)
ATTACKS = st.builds(
    Strongest,
    rate=st.none() | METRICS,
    cell=TEXTS,
    by=TEXTS,
    p=st.none() | FINITE,
    weak=st.booleans(),
    failed=st.integers(0, 99),
)
TOYS = st.builds(
    Toy,
    name=TEXTS,
    flags=FLAGS,
    words=st.lists(TEXTS, max_size=3).map(tuple),
    rate=st.none() | METRICS,
    attack=st.none() | ATTACKS,
    number=st.none() | FINITE,
    count=st.integers(),
)


@settings(max_examples=100)
@given(st.lists(TOYS, max_size=4))
def test_any_rows_keep_their_numbers_to_the_last_bit(rows: list[Toy]) -> None:
    assert_equal_numbers(Table(Toy, tuple(rows), COLUMNS))


def toy(name: str, **more: Any) -> Toy:
    stated: dict[str, Any] = {"flags": (), "words": (), "rate": None, "attack": None, "number": None}
    return Toy(name, **(stated | {"count": 3} | more))


def test_a_flag_in_csv_is_its_code_and_its_reason() -> None:
    flags = (Flag(FlagCode.ORACLE, 'told "all"'), Flag(FlagCode.WEAK_ENCODER, "AUC, low"))
    (line,) = csv.DictReader(io.StringIO(render.render("csv", Table(Toy, (toy("a", flags=flags),), COLUMNS))))
    assert (line["flags"], line["flags_reasons"]) == ("oracle; weak_encoder", 'told "all"; AUC, low')


def test_what_has_no_value_in_json_is_null_and_what_is_not_finite_is_refused() -> None:
    (row,) = json.loads(render.render("json", Table(Toy, (toy("a"),), COLUMNS)))
    assert (row["number"], row["rate"]) == (None, None)
    with pytest.raises(ValueError, match="not JSON compliant"):
        render.render("json", Table(Toy, (toy("a", number=float("nan")),), COLUMNS))


def test_markdown_keeps_its_columns() -> None:
    rows = (toy("pipe | and\nline"), toy("b", flags=(Flag(FlagCode.OTHER, "x|y"),)))
    lines = render.render("md", Table(Toy, rows, COLUMNS, ("a note",))).splitlines()
    assert lines[-2:] == ["", "- a note"]
    assert len(lines) == 6
    bare = [line.replace("\\|", "") for line in lines[:4]]
    assert len({line.count("|") for line in bare}) == 1


def test_text_says_once_what_all_rows_agree_on_but_for_flags() -> None:
    flags = (Flag(FlagCode.OTHER, "mind"),)
    text = render.render(
        "text", Table(Toy, (toy("a", flags=flags), toy("b", flags=flags)), COLUMNS, ("a note",))
    )
    first, *_, last = text.splitlines()
    assert first == "count 3"
    assert text.count("mind") == 2
    assert last == "a note"
    alone = render.render("text", Table(Toy, (toy("a"),), COLUMNS))
    assert "count 3" not in alone


def test_an_unknown_format_is_one_line() -> None:
    with pytest.raises(UserError, match="no format 'jsn'"):
        render.checked("jsn")


def test_adding_a_renderer_touches_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shout.py").write_text(
        "from bench.board.wording import worded\n"
        "def render(table):\n"
        "    return ' '.join(word.upper() for row in worded(table)[1] for word in row) + '\\n'\n"
    )
    monkeypatch.setattr(render, "__path__", [*render.__path__, str(tmp_path)])
    assert "shout" in render.names()
    done = CliRunner().invoke(app, ["board", str(RESULTS / "built-in"), "--format", "shout"])
    assert done.exit_code == 0, done.output
    assert "SYNTH-VIT" in done.output
    curve = CliRunner().invoke(
        app, ["curve", str(RESULTS / "built-in"), "--axis", "coverage", "--format", "shout"]
    )
    assert "CFR 0.1 1.000" in curve.output


def test_adding_a_view_touches_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "defenses.py").write_text(
        "from dataclasses import dataclass\n"
        "from bench.board.table import Column, View\n"
        "@dataclass(frozen=True)\n"
        "class Row:\n"
        "    defense: str\n"
        "def rows(records, users):\n"
        "    return [Row(name) for name in sorted({record.defense.name for record in records})]\n"
        "VIEW = View(Row, (Column('defense', lambda row: row.defense),), rows, of_users=False)\n"
    )
    monkeypatch.setattr(views, "__path__", [*views.__path__, str(tmp_path)])
    done = CliRunner().invoke(app, ["board", str(RESULTS / "built-in"), "--view", "defenses", "--json"])
    assert json.loads(done.output) == [{"defense": name} for name in ("advmask", "noise", "none")]
