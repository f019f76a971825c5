"""Values of rows -> words for people. Nothing is rounded before here."""

from __future__ import annotations

from bench.board.table import Column, Row, Table
from bench.board.values import Deviation, OneSided, Range, Strongest, Value
from bench.records.record import Metric
from bench.uncertainty.intervals import LEVEL

MARK = "*"
"""Stands at the rate of an attack under which users fare otherwise than under the row's first attack."""

AT_LEAST, AT_MOST = "≥", "≤"
"""Stand before the rate of a weak attacker: a stronger one would do more."""


def worded_columns(table: Table[Row]) -> list[tuple[Column[Row], list[str]]]:
    """Each column with its words, row by row, without the columns in which no row says anything."""
    columns = [(column, [_cell(column, row) for row in table.rows]) for column in table.columns]
    return [(column, words) for column, words in columns if any(words)]


def worded(table: Table[Row]) -> tuple[list[str], list[list[str]]]:
    """Headings, and each row's words below them, without the columns in which no row says anything."""
    columns = worded_columns(table)
    rows = [[words[i] for _, words in columns] for i in range(len(table.rows))]
    return [column.heading for column, _ in columns], rows


def _cell(column: Column[Row], row: Row) -> str:
    words = worded_value(column.of(row), column.form)
    return words + column.unit if words else ""


def worded_value(value: Value, form: str) -> str:
    """One value, its numbers in a form such as `.2f`; empty where there is none."""
    match value:
        case None:
            return ""
        case str():
            return value
        case Metric():
            return _metric(value, form)
        case Strongest():
            return _strongest(value, form)
        case OneSided(rate, least):
            return f"{AT_LEAST if least else AT_MOST} {_metric(rate, form)}" if rate.value is not None else ""
        case Range(low, high):
            return f"{low:{form}} to {high:{form}}"
        case Deviation(middle, error):
            return f"{worded_value(middle, form) or 'not defined'} ± {error:{form}}"
        case int():
            return str(value)
        case float():
            return f"{value:{form}}"


def _metric(metric: Metric, form: str, mark: str = "") -> str:
    if metric.value is None:
        return ""
    rate = f"{metric.value:{form}}{mark}"
    if metric.low is None or metric.high is None:
        return rate
    return f"{rate} [{metric.low:{form}}, {metric.high:{form}}]"


def _strongest(attack: Strongest, form: str) -> str:
    remarks = []
    rate = attack.rate
    if rate is not None and rate.value is not None:
        remarks += [attack.by] if rate.value > 0 and attack.by else []
        remarks += ["weak"] if attack.weak else []
    remarks += [f"{attack.failed} failed"] if attack.failed else []
    mark = MARK if attack.p is not None and attack.p <= LEVEL else ""
    words = [_metric(rate, form, mark)] if rate is not None else []
    words += [f"({', '.join(remarks)})"] if remarks else []
    return " ".join(words)
