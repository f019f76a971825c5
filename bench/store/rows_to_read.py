"""Rows of a file that is read and never touched: what is put is kept in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from bench.store.rows import Row, connected_to_read


class RowsToRead:
    """The rows of one file, as `bench.store.rows.Rows` gives them. No file is made, moved or changed.

    A file that is missing or damaged has no rows.

    Attributes:
        set_aside: Empty, because no file is set aside.
        only_to_read: True.
    """

    only_to_read = True

    def __init__(self, path: Path) -> None:
        """Open the file, if there is one."""
        self.set_aside: list[str] = []
        self._put: dict[tuple[str, str], bytes] = {}
        # a file in write-ahead mode that nobody writes is whole by itself; to be read as one of several it
        # would want a file beside it
        busy = path.with_name(f"{path.name}-wal").exists()
        modes = ("mode=ro",) if busy else ("immutable=1",)
        self._connection = connected_to_read(path, modes) if path.is_file() else None

    def select(self, stage: str, keys: list[str]) -> Iterator[tuple[str, bytes]]:
        """Key and value of the rows that exist, in any order."""
        for key in keys:
            value = self._put.get((stage, key)) or self._one(stage, key)
            if value is not None:
                yield key, value

    def every(self, stage: str) -> Iterator[tuple[str, bytes]]:
        """Key and value of all rows of a stage, in any order."""
        held = dict(self._read("SELECT key, value FROM row WHERE stage = ?", stage))
        yield from (held | {key: value for (of, key), value in self._put.items() if of == stage}).items()

    def insert(self, rows: list[Row]) -> None:
        """Keep rows in memory."""
        self._put |= {(stage, key): value for stage, key, value in rows}

    def close(self) -> None:
        """Release the file. From then on it has no rows."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _one(self, stage: str, key: str) -> bytes | None:
        rows = self._read("SELECT key, value FROM row WHERE stage = ? AND key = ?", stage, key)
        return rows[0][1] if rows else None

    def _read(self, query: str, *values: str) -> list[tuple[str, bytes]]:
        if self._connection is None:
            return []
        try:
            return self._connection.execute(query, values).fetchall()
        except (sqlite3.DatabaseError, UnicodeDecodeError):
            self.close()  # a run sets the damaged file aside, and says so
            return []
