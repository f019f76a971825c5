"""Folders that `bench run --out` wrote -> records, and how each user fared in them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from bench.board.figures import FIGURES
from bench.board.parquet import damaged
from bench.board.photo_tables import FILE as PHOTOS
from bench.board.user_tables import FILE, Users, UserTable, read_users
from bench.errors import UserError
from bench.records.merging import read_all
from bench.records.record import CellRecord, Metric

_EQUAL = 1e-6
"""How far the mean over users may be from the record's figure."""


def load(paths: Iterable[Path], *, of_users: bool, of_photos: bool = False) -> tuple[list[CellRecord], Users]:
    """Read records, each cell once, and their users.

    Args:
        paths: Folders, or documents of records where no users are needed.
        of_users: Whether the users are needed.
        of_photos: Whether their photos are needed, too.

    Raises:
        UserError: A file is missing or damaged, two records disagree on a cell, or a record and the table of
            its users do.
    """
    of_cell = read_all(paths)
    records = [record for record, _ in of_cell]
    if not of_users:
        return records, {}
    tables = {
        path: read_users(path, of_photos=of_photos) for path in dict.fromkeys(path for _, path in of_cell)
    }
    users: dict[str, UserTable] = {}
    for record, path in of_cell:
        if record.status == "ok":
            table = tables[path].get(record.cell)
            _check(record, table, path)
            _check_worst(record, table, path)
            if table is not None:
                users[record.cell] = table
    return records, users


def _check(record: CellRecord, table: UserTable | None, path: Path) -> None:
    """See that a table is whole: that its users give the rates that the record has.

    Raises:
        UserError: They do not.
    """
    for name, figure in FIGURES.items():
        metric = record.metrics.get(name)
        if metric is None or metric.value is None:
            continue
        wrong = _wrong(metric, figure.column, table)
        if wrong:
            raise UserError(
                f"{path / FILE} does not fit its records: cell {record.cell[:12]}: {wrong}, and its "
                f"record has {name} {metric.value:g} over {metric.n}. Repeat the command that wrote them."
            )


def _check_worst(record: CellRecord, table: UserTable | None, path: Path) -> None:
    """See that the photos of a table give the worst case that the record has.

    Raises:
        UserError: They do not.
    """
    for name in ("cfr", "psr1", "protection_rate"):
        metric = record.metrics.get(name)
        if table is None or table.photos is None or metric is None or metric.bounds is None:
            continue
        try:
            each = table.at_worst(name, metric)
        except ValueError as error:
            raise damaged(path / PHOTOS, f"of cell {record.cell[:12]}: {error}") from error
        worst = metric.bounds[1 if FIGURES[name].clusters else 0]
        if each is None or abs(float(each.mean()) - worst) > _EQUAL:
            raise UserError(
                f"{path / PHOTOS} does not fit its records: cell {record.cell[:12]}: its photos do not give "
                f"the {worst:g} that {name} is at worst. Repeat the command that wrote them."
            )


def _wrong(metric: Metric, column: str, table: UserTable | None) -> str:
    if table is None:
        return "it has no users"
    values = table.columns.get(column)
    if values is None:
        return f"its users have no {column!r}"
    mean = float(values.mean())
    if len(values) != metric.n or math.isnan(mean) or abs(mean - float(metric.value or 0)) > _EQUAL:
        return f"the mean of {column!r} is {mean:g} over {len(values)} users"
    return ""
