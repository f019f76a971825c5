"""Rows of one SQLite file: many small values by stage and key.

The file is in write-ahead mode, so that several processes use it at once. A file that is damaged is set aside
and begun anew. Where nothing may be written, the rows that are there can still be read.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

_NUMBERS = {
    sqlite3.SQLITE_BUSY: errno.EBUSY,
    sqlite3.SQLITE_LOCKED: errno.EBUSY,
    sqlite3.SQLITE_CANTOPEN: errno.EACCES,
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_IOERR: errno.EIO,
    sqlite3.SQLITE_NOMEM: errno.ENOMEM,
    sqlite3.SQLITE_PERM: errno.EACCES,
    sqlite3.SQLITE_READONLY: errno.EROFS,
}
"""What SQLite says -> what the system would say."""

_DAMAGE = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What SQLite raises for a damaged file, whose names may be no text. Errors of the system are among them, and
`ProgrammingError`, which is a fault of whoever calls and is handed on."""

_TABLE = "CREATE TABLE row (stage TEXT, key TEXT, value BLOB, PRIMARY KEY (stage, key)) WITHOUT ROWID"
"""What makes the one table, as SQLite keeps it."""

_HELD = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_AT_ONCE = 500
PAGE = 16_384
"""Bytes of a page of a new file. A row of up to a quarter of it, such as an embedding of 512 numbers, lies
among others; a longer one has pages of its own."""
WAIT = 60.0
"""Seconds that a process waits for others that hold the file."""

Row = tuple[str, str, bytes]
"""Stage, key and value."""


class Rows:
    """The rows of one file.

    Attributes:
        path: The file.
        set_aside: What was wrong with each file that was set aside.
        only_to_read: Whether the file could only be opened to be read.
    """

    def __init__(self, path: Path) -> None:
        """Open or make the file.

        Raises:
            OSError: The file can be neither written nor read.
        """
        self.path = path
        self.set_aside: list[str] = []
        self.only_to_read = False
        self._connection: sqlite3.Connection | None = self._open()

    def select(self, stage: str, keys: list[str]) -> Iterator[tuple[str, bytes]]:
        """Key and value of the rows that exist, in any order.

        Raises:
            OSError: The file cannot be read.
        """
        for start in range(0, len(keys), _AT_ONCE):
            part = keys[start : start + _AT_ONCE]
            query = f"SELECT key, value FROM row WHERE stage = ? AND key IN ({','.join('?' * len(part))})"
            yield from self._read(query, (stage, *part))

    def every(self, stage: str) -> Iterator[tuple[str, bytes]]:
        """Key and value of all rows of a stage, in any order.

        Raises:
            OSError: The file cannot be read.
        """
        yield from self._read("SELECT key, value FROM row WHERE stage = ?", (stage,))

    def insert(self, rows: list[Row]) -> None:
        """Write rows, either all of them or none.

        Raises:
            OSError: They cannot be written.
        """
        try:
            self._insert(rows)
        except sqlite3.ProgrammingError:
            raise
        except _DAMAGE as error:
            if of_the_system(error):
                raise as_of_the_system(error) from error
            self._set_aside(error)
            self._insert(rows)

    def close(self) -> None:
        """Release the file. It is opened again as soon as something is asked for."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def _read(self, query: str, values: tuple[str, ...]) -> list[tuple[str, bytes]]:
        try:
            return self._open_connection.execute(query, values).fetchall()
        except sqlite3.ProgrammingError:
            raise
        except _DAMAGE as error:
            if of_the_system(error):
                raise as_of_the_system(error) from error
            self._set_aside(error)
            return []

    def _insert(self, rows: list[Row]) -> None:
        connection = self._open_connection
        with connection:
            connection.executemany("INSERT OR REPLACE INTO row VALUES (?, ?, ?)", rows)

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=WAIT)
        try:
            connection.execute(f"PRAGMA page_size={PAGE}")
            _write_ahead(connection)
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute(_TABLE.replace("TABLE", "TABLE IF NOT EXISTS"))
            held = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'row'").fetchall()
            if held != [(_TABLE,)]:
                raise sqlite3.DatabaseError("another table is in it")
        except _DAMAGE as error:
            if not of_the_system(error):
                self._connection = connection
                self._set_aside(error)
                return self._open_connection
            connection.close()
            if held_by_others(error):
                raise as_of_the_system(error) from error
            return self._open_to_read(error)
        return connection

    def _open_to_read(self, refused: Exception) -> sqlite3.Connection:
        """Open a file that cannot be written.

        A file in write-ahead mode wants a file beside it even to be read. Where that cannot be made, the file
        is read as one that nobody changes.
        """
        connection = connected_to_read(self.path, ("mode=ro", "immutable=1"))
        if connection is None:
            raise as_of_the_system(refused) from refused
        self.only_to_read = True
        return connection

    def _set_aside(self, error: Exception) -> None:
        """Move a damaged file out of the way: what it held is computed again, and it can be looked at."""
        self.close()
        number = sum(1 for _ in self.path.parent.glob(f"{self.path.name}.damaged-*"))
        with suppress(FileNotFoundError):  # another process was quicker
            self.path.replace(self.path.with_name(f"{self.path.name}.damaged-{number}"))
        for extra in ("-wal", "-shm"):
            self.path.with_name(self.path.name + extra).unlink(missing_ok=True)
        self.set_aside.append(f"the cache's rows were damaged ({error}) and are computed again")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Put a file into write-ahead mode.

    Where two processes open a new file at once, SQLite refuses one of them without waiting. So it is asked
    again.
    """
    end = time.monotonic() + WAIT
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if not held_by_others(error) or time.monotonic() > end:
                raise
            time.sleep(0.05)


def connected_to_read(path: Path, modes: Sequence[str]) -> sqlite3.Connection | None:
    """A connection that writes nothing; None where the file is no file of rows, or cannot be read.

    Args:
        path: The file.
        modes: How SQLite may open it, in the order in which they are tried.
    """
    for mode in modes:
        connection = sqlite3.connect(
            f"file:{quote(os.fsencode(path.absolute()))}?{mode}", uri=True, timeout=WAIT
        )
        try:
            connection.execute("SELECT 1 FROM row LIMIT 1")
        except sqlite3.OperationalError:
            connection.close()
        except sqlite3.DatabaseError:
            connection.close()
            break
        else:
            return connection
    return None


def of_the_system(error: Exception) -> bool:
    """Whether the system refused something, and the file may well be whole."""
    return isinstance(error, sqlite3.OperationalError) and _primary(error) in _NUMBERS


def held_by_others(error: Exception) -> bool:
    """Whether SQLite was refused because another process holds the file."""
    return _primary(error) in _HELD


def as_of_the_system(error: Exception) -> OSError:
    """An error of SQLite as the system would tell it."""
    return OSError(_NUMBERS.get(_primary(error), errno.EIO), str(error))


def _primary(error: Exception) -> int:
    """SQLite's code without its details; 0 if the error has none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
