"""Plain text for a terminal: what all rows agree on is said once, and what decides comes first.

Where the whole table is wider than the terminal, the columns that decide are shown, and the rest is named. No
word is folded: one that is longer than its column ends in `…`, and `--wide` shows it whole.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TextIO

from rich import box
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from bench.board.escaping import printable
from bench.board.table import Table
from bench.board.wording import worded_columns

WIDE = 240
"""How wide a text is, in characters, where it goes to no terminal or everything is asked for."""

_GAP = 2
"""Blanks between two columns."""

_PROSE = 24
"""Characters that are enough for a column of sentences."""

_WORD = 28
"""Characters of a word that are shown, where not everything is."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """A column in words.

    Attributes:
        name: Its heading.
        cells: Its words, row by row.
        own: Whether every row says its own, even if all say the same.
        place: As in `bench.board.table.Column`.
    """

    name: str
    cells: list[str]
    own: bool
    place: int

    @property
    def natural(self) -> int:
        """How many characters it has, without folding anything."""
        return max(map(cell_len, (self.name, *self.cells)))

    @property
    def least(self) -> int:
        """How few characters it needs, without folding a word or a cell that is short."""
        words = [word for text in (self.name, *self.cells) for word in text.split()]
        body = max(map(cell_len, self.cells), default=0)
        return max(*map(cell_len, words), min(_PROSE, body), 1)


def render(table: Table[Any]) -> str:
    """A table in text."""
    out = io.StringIO()
    write(table, out, WIDE, everything=True)
    return out.getvalue()


def write(table: Table[Any], out: TextIO, width: int, *, everything: bool = False) -> None:
    """Write a table to a stream; on a terminal the headings are bold.

    Args:
        table: What to write.
        out: Where to.
        width: In characters.
        everything: Whether every column is written, and every word whole, also where that is wider.
    """
    if not table.rows:
        out.write("no cells\n")
        return
    columns = [
        _Shown(
            printable(column.heading), [printable(cell) for cell in cells], not column.common, column.place
        )
        for column, cells in worded_columns(table)
    ]
    common = [c for c in columns if len(table.rows) > 1 and not c.own and len(set(c.cells)) == 1]
    if common:
        said = ", ".join(f"{column.name} {column.cells[0]}" for column in common)
        out.write((said if everything else _filled(said, width)) + "\n")
    rest = [column for column in columns if column not in common]
    shown = rest
    if not everything:
        rest = [_cut(column, min(_WORD, width)) for column in rest]
        shown = _chosen(rest, width)
    lines = list(zip(*(column.cells for column in shown), strict=True))
    write_grid([column.name for column in shown], lines, out, width)
    if len(shown) < len(rest):
        left = ", ".join(column.name for column in rest if column not in shown)
        out.write(_filled(f"not shown: {left}. --wide shows everything.", width) + "\n")
    notes = map(printable, table.notes)
    out.writelines((note if everything else _filled(note, width)) + "\n" for note in notes)


def _chosen(columns: list[_Shown], width: int) -> list[_Shown]:
    """The columns that there is room for: all, or else the first that decide, in the table's order."""
    if _needed(columns) <= width:
        return columns
    chosen: list[_Shown] = []
    for column in sorted((column for column in columns if column.place), key=lambda column: column.place):
        if not chosen or _needed([*chosen, column]) <= width:
            chosen.append(column)
    return [column for column in columns if column in (chosen or columns[:1])]


def _needed(columns: Sequence[_Shown]) -> int:
    return sum(column.least for column in columns) + _GAP * (len(columns) - 1)


def _cut(column: _Shown, most: int) -> _Shown:
    """The same column, each word longer than `most` cut."""
    return replace(
        column, name=_short(column.name, most), cells=[_short(cell, most) for cell in column.cells]
    )


def _short(text: str, most: int) -> str:
    words = text.split(" ")
    return " ".join(
        word if cell_len(word) <= most else set_cell_size(word, most - 1).rstrip() + "…" for word in words
    )


def _filled(text: str, width: int) -> str:
    """A text in lines; a word is never broken."""
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)


def write_grid(names: Sequence[str], rows: Iterable[Sequence[str]], out: TextIO, width: int) -> None:
    """Write words below headings, column by column; a word that is longer than the line makes it longer."""
    lines = [[printable(text) for text in row] for row in rows]
    columns = [_Shown(name, [row[i] for row in lines], own=True, place=1) for i, name in enumerate(names)]
    widths = _widths(columns, width)
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for name, wide in zip(names, widths, strict=True):
        grid.add_column(Text(printable(name)), width=wide, overflow="fold")
    for row in lines:
        grid.add_row(*map(Text, row))
    whole = sum(widths) + _GAP * len(widths)
    Console(file=out, width=max(width, whole), highlight=False).print(grid)


def _widths(columns: Sequence[_Shown], width: int) -> list[int]:
    """How wide each column is: as narrow as it can be, and then wider where most is to be said."""
    natural = [column.natural for column in columns]
    widths = [column.least for column in columns]
    left = width - sum(widths) - _GAP * (len(widths) - 1)
    while left > 0 and widths != natural:
        most = max(range(len(widths)), key=lambda i: natural[i] / max(widths[i], 1))
        widths[most] += 1
        left -= 1
    return widths
