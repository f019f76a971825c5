"""Whatever stands in a stranger's folder: it is refused in one line, or printed as what it is."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from bench.board import render, views
from bench.board.escaping import printable
from bench.board.loading import load
from bench.board.render.text import write
from bench.board.table import Column, Table
from injecting import damaged_records, hostile_texts
from injecting.injection import Injection, assert_all_right

RESULTS = Path(__file__).resolve().parents[2] / "results"
RECORDS, TABLES, FOLDERS = damaged_records.INJECTIONS


@pytest.mark.parametrize(
    ("injection", "times"),
    [(hostile_texts.TEXTS, 15), (RECORDS, 40), (TABLES, 30), (FOLDERS, 12)],
    ids=lambda value: value.name if isinstance(value, Injection) else "",
)
@pytest.mark.slow
def test_a_strangers_folder(injection: Injection, times: int, tmp_path: Path) -> None:
    assert_all_right(injection, times, 0, tmp_path)


def test_every_format_has_a_judge() -> None:
    assert set(hostile_texts.JUDGES) == {*render.names(), "narrow text"}


@given(st.text(st.characters(codec="utf-8")))
def test_a_printable_text_is_one_line_that_no_terminal_obeys(text: str) -> None:
    shown = printable(text)
    assert not [letter for letter in shown if unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp")]
    if text.isprintable():
        assert shown == text


@dataclass(frozen=True)
class Pair:
    """A row of words."""

    words: tuple[str, ...]


def table_of(rows: Sequence[tuple[str, ...]], places: Sequence[int]) -> Table[Pair]:
    def nth(number: int) -> Column[Pair]:
        return Column(f"column {number}", lambda row: row.words[number], common=False, place=places[number])

    return Table(Pair, tuple(map(Pair, rows)), tuple(nth(number) for number in range(len(places))))


WORDS = st.text("abcdefghij", min_size=1, max_size=40)
CELLS = st.lists(WORDS, min_size=1, max_size=9).map(" ".join)


@settings(max_examples=60)
@given(st.data(), st.integers(1, 7), st.integers(40, 200))
def test_no_word_is_folded_and_no_line_is_longer_than_the_terminal(
    data: st.DataObject, wide: int, width: int
) -> None:
    rows = data.draw(st.lists(st.tuples(*[CELLS] * wide), min_size=1, max_size=3))
    places = data.draw(st.lists(st.integers(0, 9), min_size=wide, max_size=wide))
    out = io.StringIO()
    write(table_of(rows, places), out, width)
    lines = out.getvalue().splitlines()
    assert max(map(cell_len, lines)) <= width
    whole = {word for row in rows for cell in row for word in cell.split()}
    body = out.getvalue().partition("─\n")[2].partition("not shown: ")[0]
    assert body.strip()
    for word in body.split():
        assert word in whole or (word.endswith("…") and any(w.startswith(word[:-1]) for w in whole))


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=3))
def test_everything_is_every_word_whole(rows: list[tuple[str, str]]) -> None:
    out = io.StringIO()
    write(table_of(rows, (1, 0)), out, 40, everything=True)
    assert set(re.findall(r"[a-j]+", out.getvalue())) >= {
        word for row in rows for c in row for word in c.split()
    }
    assert "…" not in out.getvalue()


@pytest.mark.parametrize("name", views.names())
def test_the_boards_of_committed_records_fit_into_80_columns(name: str) -> None:
    view = views.view(name)
    table = view.table(*load([RESULTS / "draws"], of_users=view.of_users))
    out = io.StringIO()
    write(table, out, 80)
    lines = out.getvalue().splitlines()
    assert max(map(cell_len, lines)) <= 80
    assert len(lines) < 2 * len(table.rows) + 12
    assert not any("…" in line for line in lines)
