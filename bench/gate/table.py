"""The comparisons of a gate as a table, for the renderers of boards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from bench.board.figures import FIGURES
from bench.board.table import CONFIDENT, Column, Table
from bench.gate.rows import GateRow
from bench.gate.verdict import Verdict
from bench.gate.words import logged, short

COLUMNS: tuple[Column[GateRow], ...] = (
    Column("state", lambda row: row.state, common=False, place=1),
    Column("defense", lambda row: row.defense, common=False, place=1),
    Column("by", lambda row: row.by, place=7),
    Column("attack", lambda row: row.attack, place=4),
    Column("figure", lambda row: FIGURES[row.figure].title, place=8),
    Column("before", lambda row: row.before, place=5),
    Column("now", lambda row: row.now, place=5),
    Column(f"rise [{CONFIDENT}]", lambda row: row.rise, place=2),
    Column("p (Holm)", lambda row: row.p_holm, ".2g", place=6),
    Column("newly found", lambda row: row.newly_found, place=9),
    Column("no longer", lambda row: row.no_longer_found, place=9),
    Column("users", lambda row: row.users, place=9),
    Column("users needed", lambda row: row.users_needed, place=3),
    Column("data set", lambda row: row.dataset, place=20),
    Column("scenario", lambda row: row.scenario, place=20),
    Column("budget", lambda row: row.budget, place=20),
    Column("knowledge", lambda row: row.knowledge, place=10),
    Column("surrogate", lambda row: "+".join(row.surrogate), place=20),
    Column("changed", lambda row: "; ".join(row.changes), place=20),
    Column("acknowledged", lambda row: row.acknowledged, place=20),
)


MOST_ITEMS = 10
"""Of a list in one field, such as changed parameters."""


def reworded(row: GateRow, word: Callable[[str], str]) -> GateRow:
    """A row with every text that others may have written as a place can show it."""
    values: dict[str, Any] = {field.name: getattr(row, field.name) for field in fields(row)}
    worded: dict[str, Any] = {name: word(value) for name, value in values.items() if isinstance(value, str)}
    for name in ("surrogate", "changes"):
        worded[name] = tuple(word(item) for item in values[name][:MOST_ITEMS])
    return GateRow(**values | worded)


def notes(verdict: Verdict) -> tuple[str, ...]:
    """What could not be compared, and what else stands below the comparisons."""
    least = "no rise" if verdict.detectable is None else f"a rise of {verdict.detectable:.2f}"
    told = [f"could not compare {text}" for text in verdict.obstacles]
    told += verdict.notes
    return (*told, f"so many users show {least} four times of five") if verdict.rows else tuple(told)


def log_table(verdict: Verdict) -> Table[GateRow]:
    """All comparisons and notes, for a terminal or the log of a job."""

    def word(text: str) -> str:
        return logged(short(text))

    rows = tuple(reworded(row, word) for row in verdict.rows)
    return Table(GateRow, rows, COLUMNS, tuple(map(word, notes(verdict))))
