"""The files that the records of cells lie in: read, written, described, and as a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.records.columns import columns
from bench.records.documents import Document
from bench.records.record import SCHEMA_VERSION, CellRecord

if TYPE_CHECKING:
    import pandas as pd

CELLS = Document(
    name="records",
    file="records.json",
    key="cells",
    model=CellRecord,
    version=SCHEMA_VERSION,
    written_by="bench run --out",
    explained_by="'bench schema' says what they are.",
)
"""What `bench run --json` prints and `bench run --out` writes."""


class Records(Sequence[CellRecord]):
    """The cells of one run, in the order they were asked for."""

    def __init__(self, cells: Iterable[CellRecord]) -> None:
        """Keep the cells."""
        self._cells = tuple(cells)

    def __getitem__(self, index: Any) -> Any:
        """One record, or Records for a slice."""
        return Records(self._cells[index]) if isinstance(index, slice) else self._cells[index]

    def __len__(self) -> int:
        """How many cells."""
        return len(self._cells)

    def to_json(self) -> str:
        """The document that `bench run --json` prints."""
        return CELLS.to_json(self._cells)

    def to_pandas(self) -> pd.DataFrame:
        """One row a cell: its threat model, `metric`, `metric_low` and `metric_high`, perceptual means."""
        import pandas as pd

        return pd.DataFrame([_row(cell) for cell in self._cells])


def _row(cell: CellRecord) -> dict[str, Any]:
    row: dict[str, Any] = {
        "cell": cell.cell,
        "status": cell.status,
        **columns(cell),
        "knowledge": cell.knowledge,
        "flags": "; ".join(map(str, cell.flags)),
    }
    for name, metric in cell.metrics.items():
        row |= {name: metric.value, f"{name}_low": metric.low, f"{name}_high": metric.high}
    for name, value in cell.perceptual.get("photo", {}).items():
        row[name] = value["mean"]
    return row


def schema() -> dict[str, Any]:
    """JSON Schema of the document with records."""
    cell = CellRecord.model_json_schema()
    definitions = cell.pop("$defs", {})
    definitions["CellRecord"] = cell
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "cloakbench records",
        "type": "object",
        "required": ["schema_version", "cells"],
        "additionalProperties": False,
        "properties": {
            "schema_version": {"const": CELLS.version},
            "cells": {"type": "array", "items": {"$ref": "#/$defs/CellRecord"}},
        },
        "$defs": definitions,
    }


def read(path: Path) -> Records:
    """Read records from a document, or from the `records.json` of a folder. Old schemas are migrated.

    Raises:
        UserError: if there are none, or the file is not such a document, or of a newer schema.
    """
    return Records(CELLS.read(path))
