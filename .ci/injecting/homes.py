"""What a BENCH_HOME holds, so that two can be compared."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.records.record import CellRecord
from bench.upkeep.ledger import NOTES

_SEAL = 16


@dataclass(frozen=True)
class Home:
    """Everything in a cache, but for what a cell took and where, and for notes.

    Attributes:
        rows: (stage, key) -> the sealed value.
        files: Path in the home -> the content; of a cell, its record and tables.
    """

    rows: dict[tuple[str, str], bytes]
    files: dict[str, object]

    def other_than(self, home: Home) -> list[str]:
        """What both hold under one key, with another content."""
        rows = [
            f"{stage} {key}"
            for (stage, key), value in self.rows.items()
            if home.rows.get((stage, key), value) != value
        ]
        return rows + [name for name, value in self.files.items() if home.files.get(name, value) != value]


def read_home(home: Path) -> Home:
    """Read a cache, but for what work took and what was used beside it, which is another each time.

    Args:
        home: A BENCH_HOME that no process writes to.
    """
    with closing(sqlite3.connect(home / "cache" / "rows.sqlite")) as base:
        rows = {
            (stage, key): value
            for stage, key, value in base.execute("SELECT stage, key, value FROM row")
            if stage not in NOTES
        }
    files: dict[str, object] = {}
    for path in (home / "cache").rglob("*"):
        if path.is_file() and "sqlite" not in path.name:
            content: object = path.read_bytes()
            if path.parts[-3] == "cell":
                document = json.loads(path.read_bytes()[_SEAL:])
                record = CellRecord.model_validate(document["record"]).comparable()
                content = (record, document["tables"])
            files[str(path.relative_to(home))] = content
    return Home(rows, files)
