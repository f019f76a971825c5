"""What a record says of each option of a run, whether it has a field of its own or not."""

from __future__ import annotations

from typing import Any, Final

from bench.plan.axes import AXES
from bench.plan.rows import Axis
from bench.records.record import CellRecord, Model, Named

FURTHER: Final[tuple[Axis, ...]] = tuple(
    row
    for row in AXES.values()
    if row.younger and row.record.partition(".")[0] not in CellRecord.model_fields
)
"""Options without a field of their own: a record has them under `options`."""

AXES_BY_NAME: Final = {row.name: row for row in AXES.values() if row.semantic}
"""Name of an option in records -> its row, for every option that decides results."""


def recorded(record: CellRecord, row: Axis) -> Any:
    """What a record says of an option; a record that is older than the option says what cells were before.

    Args:
        record: The record of a cell.
        row: An option that decides results.
    """
    if row in FURTHER:
        return record.options.get(row.name, row.before)
    value: Any = record
    for name in row.record.split("."):
        value = getattr(value, name) if isinstance(value, Model) else value.get(name)
    return value


def columns(record: CellRecord) -> dict[str, Any]:
    """Option -> its value in a table, for every option with a column; plug-ins and encoders by name."""
    return {name: value for name, value in named(record).items() if AXES_BY_NAME[name].column}


def named(record: CellRecord) -> dict[str, Any]:
    """Option -> its value, for every option that decides results; plug-ins and encoders by name."""
    return {row.name: _plain(recorded(record, row)) for row in AXES_BY_NAME.values()}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return "+".join(_plain(item) for item in value)
    return value.name if isinstance(value, Named) else value
