"""Rows of one view, and how people read them. Renderers take a `Table` and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from bench.board.user_tables import Users
from bench.board.values import Value
from bench.records.record import CellRecord
from bench.uncertainty.intervals import CONFIDENCE

Row = TypeVar("Row")

CONFIDENT = f"{100 * CONFIDENCE:g} %"
"""How headings name the intervals."""


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column for people; programs read the fields of the row instead.

    Attributes:
        heading: what stands above it.
        of: what it shows of a row, unrounded; a column in which no row shows anything is left out.
        form: how its numbers are written, in Python's format language.
        unit: what stands behind them.
        common: whether a text may say once, above the table, what all rows agree on.
        place: a narrow terminal shows the columns with the lowest places, as many as there is room for, and
            none with 0.
    """

    heading: str
    of: Callable[[Row], Value]
    form: str = ".2f"
    unit: str = ""
    common: bool = True
    place: int = 0


@dataclass(frozen=True, slots=True)
class Table(Generic[Row]):
    """Rows and the columns in which people read them.

    Attributes:
        kind: the rows' dataclass; its fields are the names of the numbers, also where there is no row.
        rows: in order.
        columns: for people, in order.
        notes: lines that people need below the table.
    """

    kind: type[Row]
    rows: tuple[Row, ...]
    columns: tuple[Column[Row], ...]
    notes: tuple[str, ...] = ()


def _no_notes(rows: Sequence[object]) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class View(Generic[Row]):
    """One way to look at records.

    Attributes:
        kind: of the rows, as in `Table`.
        columns: for people, as in `Table`.
        rows: what makes the rows of records and of their users' tables.
        of_users: whether it needs the users' tables.
        of_photos: whether it needs the photos' tables besides.
        notes: what makes the lines below the table of its rows.
    """

    kind: type[Row]
    columns: tuple[Column[Row], ...]
    rows: Callable[[Sequence[CellRecord], Users], Sequence[Row]]
    of_users: bool
    of_photos: bool = False
    notes: Callable[[Sequence[Row]], Sequence[str]] = _no_notes

    def table(self, records: Sequence[CellRecord], users: Users) -> Table[Row]:
        """The table of this view.

        Args:
            records: of any runs.
            users: their tables of users, by cell.
        """
        rows = tuple(self.rows(records, users))
        return Table(self.kind, rows, self.columns, tuple(self.notes(rows)))
