"""Plain text for a terminal: as wide as it needs to be, and what all rows agree on is said once."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from rich import box
from rich.console import Console
from rich.table import Table as Grid

from bench.board.table import Table
from bench.board.wording import worded

WIDE = 240
"""How wide a text is at most, in characters, where it goes to no terminal."""


def render(table: Table[Any]) -> str:
    """A table in text."""
    out = io.StringIO()
    write(table, out, WIDE)
    return out.getvalue()


def write(table: Table[Any], out: TextIO, width: int) -> None:
    """Write a table to a stream; on a terminal the headings are bold.

    Args:
        table: what to write.
        out: where to.
        width: in characters; longer cells are folded.
    """
    names, rows = worded(table)
    if not rows:
        out.write("no cells\n")
        return
    own = {column.heading for column in table.columns if not column.common}
    common = [
        i
        for i, name in enumerate(names)
        if len(rows) > 1 and name not in own and len({row[i] for row in rows}) == 1
    ]
    if common:
        out.write(", ".join(f"{names[i]} {rows[0][i]}" for i in common) + "\n")
    shown = [i for i in range(len(names)) if i not in common]
    write_grid([names[i] for i in shown], [[row[i] for i in shown] for row in rows], out, width)
    out.writelines(f"{note}\n" for note in table.notes)


def write_grid(names: Sequence[str], rows: Iterable[Sequence[str]], out: TextIO, width: int) -> None:
    """Write words below headings, column by column."""
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in names:
        grid.add_column(name, overflow="fold")
    for row in rows:
        grid.add_row(*row)
    Console(file=out, width=width, highlight=False).print(grid, markup=False)
