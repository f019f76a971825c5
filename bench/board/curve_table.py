"""Curves -> one row a point."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bench.board.curves import Curve
from bench.board.table import CONFIDENT, Column, Table
from bench.board.values import Range


@dataclass(frozen=True, slots=True)
class PointRow:
    """One point of one curve; `x`, `value`, `low`, `high` and `n` as in `bench.board.curves.Point`.

    Attributes:
        curve: name of the curve.
        figure: of the curve.
        axis: along which it goes.
    """

    curve: str
    figure: str
    axis: str
    x: float
    value: float
    low: float | None
    high: float | None
    n: int | None


def _interval(row: PointRow) -> Range | None:
    return None if row.low is None or row.high is None else Range(row.low, row.high)


def curve_table(drawn: Iterable[Curve], axis: str) -> Table[PointRow]:
    """The points of all curves along one axis."""
    rows = tuple(
        PointRow(curve.name, curve.figure, axis, point.x, point.value, point.low, point.high, point.n)
        for curve in drawn
        for point in curve.points
    )
    columns: tuple[Column[PointRow], ...] = (
        Column("curve", lambda row: row.curve, place=1),
        Column("figure", lambda row: row.figure, place=5),
        Column(axis, lambda row: row.x, "g", place=2),
        Column("value", lambda row: row.value, ".3f", place=3),
        Column(CONFIDENT, _interval, ".3f", place=4),
    )
    return Table(PointRow, rows, columns)
