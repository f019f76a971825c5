"""Tables on stdout: as wide as they need to be, also into a file."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from bench.board.table import COLUMNS, board, used
from bench.records.record import CellRecord

_WIDE = 240


def print_board(records: Iterable[CellRecord]) -> None:
    """The leaderboard."""
    print_rows(board(records), COLUMNS)


def print_rows(rows: Sequence[dict[str, str]], columns: Sequence[str]) -> None:
    """A table of texts; what all rows have in common is said once, above it."""
    if not rows:
        sys.stdout.write("no cells\n")
        return
    names = used(rows, columns)
    common = [n for n in names if len(rows) > 1 and len({row[n] for row in rows}) == 1 and n != "flags"]
    if common:
        sys.stdout.write(", ".join(f"{name} {rows[0][name]}" for name in common) + "\n")
    shown = [name for name in names if name not in common]
    print_table(shown, [[row[name] for name in shown] for row in rows])


def print_table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Any table."""
    width = shutil.get_terminal_size((_WIDE, 24)).columns if sys.stdout.isatty() else _WIDE
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(file=sys.stdout, width=width, highlight=False).print(table, markup=False)
