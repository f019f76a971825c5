"""Results of the stages, addressed by their content, under `BENCH_HOME/cache`.

Small results (a face, an embedding, the labels of a clustering) are rows of one SQLite file. Large results
(released photos) are files. A value is written whole or not at all, and it carries a checksum: a value that
was cut short or altered reads as absent and is computed again. This module does not know what a stage means.
"""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.errors import UserError
from bench.store.writing import write_whole

_CHECK = 16


class Cache:
    """Results by stage and key. They survive `kill -9`, and several processes may use them at once."""

    def __init__(self, home: Path) -> None:
        """Open or make the cache.

        Args:
            home: The folder `BENCH_HOME`.

        Raises:
            UserError: The folder cannot be written to.
        """
        self.folder = home / "cache"
        self.hits: dict[str, int] = {}
        self.misses: dict[str, int] = {}
        self.repaired: list[str] = []
        with _writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        self._connection: sqlite3.Connection | None = self._open()

    def rows(self, stage: str, keys: Iterable[str]) -> dict[str, bytes]:
        """The rows that exist, by key. The other keys are not in the answer."""
        wanted = list(dict.fromkeys(keys))
        held: dict[str, bytes] = {}
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            query = f"SELECT key, value FROM row WHERE stage = ? AND key IN ({','.join('?' * len(part))})"
            for key, value in self._execute(query, (stage, *part)):
                content = _checked(value)
                if content is not None:
                    held[key] = content
        self.hits[stage] = self.hits.get(stage, 0) + len(held)
        self.misses[stage] = self.misses.get(stage, 0) + len(wanted) - len(held)
        return held

    def put_rows(self, stage: str, rows: Mapping[str, bytes]) -> None:
        """Write rows, all of them or none."""
        values = [(stage, key, _sealed(value)) for key, value in rows.items()]
        with _writing(self.folder):
            try:
                self._insert(values)
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError as error:
                self._set_aside(error)
                self._insert(values)

    def file(self, stage: str, key: str) -> bytes | None:
        """The content of one file, or None."""
        try:
            content = _checked(self._path(stage, key).read_bytes())
        except OSError:
            # absent, or nothing that can be read: computed again, and written in its place
            content = None
        count = self.misses if content is None else self.hits
        count[stage] = count.get(stage, 0) + 1
        return content

    def put_file(self, stage: str, key: str, content: bytes) -> None:
        """Write one file: beside its place first, then renamed into it."""
        path = self._path(stage, key)
        with _writing(self.folder):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, _sealed(content))

    def close(self) -> None:
        """Release the SQLite file. It is opened again if something is read or written after all."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def _rows(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def _path(self, stage: str, key: str) -> Path:
        return self.folder / stage / key[:2] / key

    def _execute(self, query: str, values: tuple[str, ...]) -> list[tuple[str, bytes]]:
        try:
            return self._rows.execute(query, values).fetchall()
        except sqlite3.OperationalError as error:
            raise UserError(
                f"cannot read results in {self.folder}: {error}. Set BENCH_HOME to another folder, or repeat "
                "the command when no other process holds this one."
            ) from error
        except sqlite3.DatabaseError as error:
            self._set_aside(error)
            return []

    def _insert(self, values: list[tuple[str, str, bytes]]) -> None:
        with self._rows:
            self._rows.executemany("INSERT OR REPLACE INTO row VALUES (?, ?, ?)", values)

    def _open(self) -> sqlite3.Connection:
        with _writing(self.folder):
            rows = sqlite3.connect(self.folder / "rows.sqlite", timeout=60)
            try:
                rows.execute("PRAGMA journal_mode=WAL")
                rows.execute("PRAGMA synchronous=NORMAL")
                rows.execute(
                    "CREATE TABLE IF NOT EXISTS row (stage TEXT, key TEXT, value BLOB,"
                    " PRIMARY KEY (stage, key)) WITHOUT ROWID"
                )
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError as error:
                self._connection = rows
                self._set_aside(error)
                return self._rows
        return rows

    def _set_aside(self, error: sqlite3.DatabaseError) -> None:
        """Move a damaged file out of the way. Its results are computed again; the file can be inspected."""
        self.close()
        path = self.folder / "rows.sqlite"
        number = sum(1 for _ in self.folder.glob("rows.sqlite.damaged-*"))
        path.replace(path.with_name(f"rows.sqlite.damaged-{number}"))
        for extra in ("-wal", "-shm"):
            path.with_name(path.name + extra).unlink(missing_ok=True)
        self.repaired.append(f"the cache's rows were damaged ({error}) and are computed again")


def _sealed(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_CHECK).digest() + content


def _checked(sealed: bytes) -> bytes | None:
    content = sealed[_CHECK:]
    good = len(sealed) >= _CHECK and hashlib.blake2b(content, digest_size=_CHECK).digest() == sealed[:_CHECK]
    return content if good else None


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Say in one line that the disk is full or read-only. Results written before stay."""
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        raise UserError(
            f"cannot write results to {folder}: {error}. Free some space or set BENCH_HOME to another "
            "folder, then repeat the command: it goes on where it was."
        ) from error
