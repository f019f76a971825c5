"""Tables for pages: words, what they are sorted by, and where they lead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.board.table import Column, Table
from bench.board.values import Deviation, OneSided, Range, Strongest, Value
from bench.board.wording import worded_columns
from bench.records.record import Metric


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above a column.

    Attributes:
        text: its words.
        numeric: whether numbers stand below it.
    """

    text: str
    numeric: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """One place of a table.

    Attributes:
        words: what people read.
        number: what it is sorted by, where it is a number.
        interval: low, value and high of a rate, which a bar shows; None without one.
        href: where it leads; empty for nowhere.
    """

    words: str
    number: float | None = None
    interval: tuple[float, float, float] | None = None
    href: str = ""


@dataclass(frozen=True, slots=True)
class PageTable:
    """A table of a page.

    Attributes:
        name: its name within the page, of letters, digits and hyphens.
        caption: what it shows.
        headings: of its columns.
        rows: of cells, in the order of the headings.
        notes: lines below it.
    """

    name: str
    caption: str
    headings: Sequence[Heading]
    rows: Sequence[Sequence[Cell]]
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Links:
    """Where the words of one row lead.

    Attributes:
        numbers: the record behind its numbers; empty for nowhere.
        columns: heading -> where the words below it lead, whatever they are.
    """

    numbers: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)


def page_table(
    name: str, caption: str, table: Table[Any], links: Sequence[Links], *, bars: bool = False
) -> PageTable:
    """A table of typed rows for a page; columns in which no row says anything are left out.

    Args:
        name: As in `PageTable`.
        caption: As in `PageTable`.
        table: The rows and their columns.
        links: Of each row.
        bars: Whether rates have a bar besides.
    """
    columns = worded_columns(table)
    shown = [
        [_cell(column, row, words[i], links[i], bars=bars) for column, words in columns]
        for i, row in enumerate(table.rows)
    ]
    headings = [
        Heading(column.heading, any(row[i].number is not None for row in shown))
        for i, (column, _) in enumerate(columns)
    ]
    return PageTable(name, caption, headings, shown, table.notes)


def _cell(column: Column[Any], row: Any, words: str, links: Links, *, bars: bool) -> Cell:
    value = column.of(row)
    number = _number(value)
    href = links.columns.get(column.heading, "" if number is None else links.numbers) if words else ""
    return Cell(words, number, _interval(value) if bars else None, href)


def _number(value: Value) -> float | None:
    """What a value is sorted by; None for words."""
    match value:
        case Metric():
            return value.value
        case OneSided(rate, _):
            return rate.value
        case Strongest():
            return None if value.rate is None else value.rate.value
        case Range(low, _):
            return low
        case Deviation(middle, _):
            return middle
        case int() | float():
            return float(value)
        case _:
            return None


def _interval(value: Value) -> tuple[float, float, float] | None:
    rate = value.rate if isinstance(value, OneSided) else value
    if not isinstance(rate, Metric) or rate.value is None or rate.low is None or rate.high is None:
        return None
    return rate.low, rate.value, rate.high
