"""Options that a board has no field for: each new row of the table of axes is a field of every view."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import make_dataclass
from typing import Any, Final, TypeVar

from bench.plan.rows import Axis
from bench.records.columns import FURTHER, recorded
from bench.records.record import CellRecord

Row = TypeVar("Row")

OF_A_DEFENSE: Final[tuple[Axis, ...]] = tuple(row for row in FURTHER if row.track or row.of == "cloaking")
"""The further options in which all cells of a row of the panel agree."""


def extended(kind: type[Row], axes: Iterable[Axis] = FURTHER) -> type[Row]:
    """A kind of row with a field more for each further option; the same kind if there is none.

    Args:
        kind: The dataclass of the rows.
        axes: The further options that it shows.
    """
    more = [(row.name, row.kind.type) for row in axes]
    return make_dataclass(kind.__name__, more, bases=(kind,), frozen=True, slots=True) if more else kind


def further(record: CellRecord, axes: Iterable[Axis] = FURTHER) -> dict[str, Any]:
    """The fields that `extended` adds, of a record."""
    return {row.name: recorded(record, row) for row in axes}
