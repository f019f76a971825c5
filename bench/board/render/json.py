"""JSON: a list with one object a row. Numbers are numbers, unrounded, and null where there is none."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter

from bench.board.table import Table


def render(table: Table[Any]) -> str:
    """A table's rows in JSON."""
    adapter = TypeAdapter(table.kind)
    rows = [adapter.dump_python(row, mode="json") for row in table.rows]
    return json.dumps(rows, indent=1, allow_nan=False) + "\n"
