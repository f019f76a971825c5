"""Tables on stdout: as wide as they need to be, also into a file."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from bench.board.render.text import WIDE, write, write_grid

if TYPE_CHECKING:
    from bench.board.table import Table


def print_board(table: Table[Any], *, wide: bool = False) -> None:
    """Rows of a view, or of anything else that has typed rows; `wide` shows every column."""
    everything = wide or not sys.stdout.isatty()
    write(table, sys.stdout, WIDE if everything else _width(), everything=everything)


def print_table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Words below headings."""
    write_grid(names, rows, sys.stdout, _width())


def _width() -> int:
    return shutil.get_terminal_size((WIDE, 24)).columns if sys.stdout.isatty() else WIDE
