"""All results of one store, with their sizes and the day of their last use, as a table of SQLite.

The table is a temporary one, on the store's own disk: a store may have more results than memory holds.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bench.costs import measured as costs
from bench.errors import UserError, cannot_read, cannot_write
from bench.experiment import asked
from bench.store.rows import WAIT, as_of_the_system, connected_to_read, held_by_others, of_the_system
from bench.store.uses import BATCH, USE, today
from bench.store.writing import try_folder
from bench.upkeep.reach import Graph

SEGMENT = "segment"
NOTES = (BATCH, USE, SEGMENT, costs.STAGE, asked.STAGE)
"""Stages of what is no result: what was used, copied from a shared store, timed, and asked for."""

INSTEAD = "move it to another disk"
_ROWS = "rows.sqlite"
_ENTRY = """CREATE TEMP TABLE entry (
    stage TEXT, key TEXT, is_file INTEGER, size INTEGER, day INTEGER, needed INTEGER DEFAULT 0,
    gone INTEGER DEFAULT 0, PRIMARY KEY (stage, key)
) WITHOUT ROWID"""
_MARKS = f"({','.join('?' * len(NOTES))})"


class Ledger:
    """The results of one store.

    Attributes:
        folder: `BENCH_HOME/cache`.
        connection: To its rows; `entry` has a line for every result.
        graph: Which results reach which.
    """

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        """Count everything."""
        self.folder, self.connection = folder, connection
        connection.execute(_ENTRY)
        connection.execute(
            "INSERT INTO entry (stage, key, is_file, size) SELECT stage, key, 0, "
            f"LENGTH(stage) + LENGTH(key) + LENGTH(value) FROM row WHERE stage NOT IN {_MARKS}",
            NOTES,
        )
        self._spread(_size(folder / _ROWS))
        connection.executemany(
            "INSERT OR REPLACE INTO entry (stage, key, is_file, size) VALUES (?, ?, 1, ?)",
            ((stage, key, _size(path)) for stage, key, path in files(folder) if stage not in NOTES),
        )
        self.graph = Graph.of(connection)
        for stage, keys, day in self.graph.days():
            connection.executemany(
                "UPDATE entry SET day = ? WHERE stage = ? AND key = ? AND day IS NULL",
                ((day, stage, key) for key in keys),
            )
        # what was stored before uses were noted was last used before the first of them, at the latest
        connection.execute("UPDATE entry SET day = ? WHERE day IS NULL", (self.graph.first or today(),))

    def _spread(self, size: int) -> None:
        """Give each row its share of the file of rows."""
        [(total,)] = self.connection.execute("SELECT SUM(size) FROM entry").fetchall()
        if total:
            self.connection.execute("UPDATE entry SET size = CAST(size * ? AS INTEGER)", (size / total,))

    def totals(self, where: str = "1") -> tuple[int, int]:
        """How many results there are, and how many bytes they take.

        Args:
            where: Which of them.
        """
        [(count, size)] = self.connection.execute(
            f"SELECT COUNT(*), COALESCE(SUM(size), 0) FROM entry WHERE {where}"
        ).fetchall()
        return int(count), int(size)


@contextmanager
def opened(home: Path, *, to_change: bool = False) -> Iterator[Ledger]:
    """The ledger of a store.

    Args:
        home: `BENCH_HOME`.
        to_change: Whether results are dropped: then no other process may use the store.

    Raises:
        UserError: There is no store; or another process uses it; or it cannot be read or written.
    """
    folder = home / "cache"
    path = folder / _ROWS
    if not path.is_file():
        raise UserError(f"no results are stored in {folder}. 'bench run' stores some; BENCH_HOME names it.")
    if to_change:
        try_folder(folder, instead=INSTEAD)
    with _temporary_files_in(folder) as memory:
        try:
            with closing(_alone(path) if to_change else _reading(path)) as connection:
                connection.execute(f"PRAGMA temp_store = {'MEMORY' if memory else 'FILE'}")
                yield Ledger(folder, connection)
        except sqlite3.DatabaseError as error:
            raise _told(error, folder) from error


def files(folder: Path) -> Iterator[tuple[str, str, Path]]:
    """Stage, key and path of every result that is a file."""
    for stage in sorted(path for path in folder.iterdir() if path.is_dir()):
        for path in sorted(stage.glob("??/*")):
            if path.is_file() and path.name[:2] == path.parent.name:
                yield stage.name, path.name, path


def leftovers(folder: Path) -> list[Path]:
    """Files that a killed process left half-written, and damaged rows that were set aside."""
    return sorted([*folder.rglob(".part-*"), *folder.glob(f"{_ROWS}.damaged-*")])


def _alone(path: Path) -> sqlite3.Connection:
    """A connection beside which there is no other, and which needs no room on the disk for that."""
    connection = sqlite3.connect(path, timeout=1.0, isolation_level=None)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute(
            "SELECT COUNT(*) FROM sqlite_schema"
        ).fetchall()  # refused while another has it open
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _reading(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing; where it may write, it leaves no file of its own behind."""
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        return sqlite3.connect(path, timeout=WAIT)
    connection = connected_to_read(path, ("mode=ro", "immutable=1"))
    if connection is None:
        raise _no_rows(path)
    return connection


def _no_rows(path: Path) -> UserError:
    return UserError(f"{path} is damaged, or is something else. The next 'bench run' sets it aside.")


@contextmanager
def _temporary_files_in(folder: Path) -> Iterator[bool]:
    """Have SQLite make its temporary files there; the scope gets whether they must be in memory instead."""
    before = os.environ.get("SQLITE_TMPDIR")
    os.environ["SQLITE_TMPDIR"] = str(folder)
    try:
        yield not os.access(folder, os.W_OK)
    finally:
        if before is None:
            del os.environ["SQLITE_TMPDIR"]
        else:
            os.environ["SQLITE_TMPDIR"] = before


def _told(error: sqlite3.DatabaseError, folder: Path) -> UserError:
    if held_by_others(error):
        return UserError(f"another process uses the results in {folder}. Repeat this when it has ended.")
    if not of_the_system(error):
        return _no_rows(folder / _ROWS)
    return cannot_write(as_of_the_system(error), f"to {folder}", instead=INSTEAD)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # another process has just dropped it
        return 0
    except OSError as error:
        raise cannot_read(error, str(path)) from error
