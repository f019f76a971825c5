"""CSV: a header and one line a row. Numbers are unrounded, each in a column of its own.

A figure `cfr` has the columns `cfr`, `cfr_low`, `cfr_high`, `cfr_n`, `cfr_bounds_low` and `cfr_bounds_high`;
flags have their codes in `flags` and their reasons in `flags_reasons`, in the same order. A text that a
spreadsheet would take for a formula stands behind an apostrophe.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from types import NoneType
from typing import Any, get_args, get_type_hints

from bench.board.escaping import printable
from bench.board.table import Table
from bench.records.record import Metric
from bench.types import Flag

_JOINED = "; "

_FORMULA = re.compile(r"(^|[;,|])([\s\"']*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
"""Where a formula would begin: at the beginning of a text, or of what another program takes for a cell."""


def render(table: Table[Any]) -> str:
    """A table's rows in CSV; every field has its columns, whether a row fills them or not."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_names(table.kind))
    writer.writerows(_cells(table.kind, row) for row in table.rows)
    return out.getvalue()


def _names(kind: type[Any], before: str = "") -> list[str]:
    names: list[str] = []
    for name, hint in _hints(kind):
        here = before + name
        if hint is Metric:
            names += [here, *(f"{here}_{end}" for end in ("low", "high", "n", "bounds_low", "bounds_high"))]
        elif hint == tuple[Flag, ...]:
            names += [here, f"{here}_reasons"]
        else:
            names += _names(hint, f"{here}_") if _nested(hint) else [here]
    return names


def _cells(kind: type[Any], row: Any) -> list[object]:
    """What stands below `_names`; nothing below those of a row that is None."""
    cells: list[object] = []
    for name, hint in _hints(kind):
        value: Any = None if row is None else getattr(row, name)
        if hint is Metric:
            cells += [None] * 6 if value is None else _metric(value)
        elif hint == tuple[Flag, ...]:
            texts = [(flag.code, flag.reason) for flag in value]
            cells += [harmless(_JOINED.join(part)) for part in zip(*texts, strict=True)] or ["", ""]
        else:
            cells += _cells(hint, value) if _nested(hint) else [_scalar(value)]
    return cells


def _nested(hint: Any) -> bool:
    """Whether a field has fields of its own."""
    return is_dataclass(hint)


def _metric(metric: Metric) -> list[object]:
    return [metric.value, metric.low, metric.high, metric.n, *(metric.bounds or (None, None))]


def _scalar(value: Any) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return harmless(_JOINED.join(value))
    return harmless(value) if isinstance(value, str) else value


def harmless(text: str) -> str:
    """A text that is no formula to any spreadsheet, and moves no cursor."""
    return _FORMULA.sub(r"\1\2'", printable(text))


def _hints(kind: type[Any]) -> Iterator[tuple[str, Any]]:
    """A row's fields and their types, without the `None` of those that may be absent."""
    hints = get_type_hints(kind)
    for field in fields(kind):
        options = [option for option in get_args(hints[field.name]) if option is not NoneType]
        optional = NoneType in get_args(hints[field.name])
        yield field.name, options[0] if optional else hints[field.name]
