"""Digests of files: several threads compute them, once for each file, and slow ones are kept on disk."""

from __future__ import annotations

import errno
import hashlib
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from bench.errors import cannot_read, patiently

_WORTH_KEEPING = 1.0  # digests are kept if they took longer than this many seconds
_SETTLED = 2 * 10**9  # nanoseconds: a younger file may still change within one tick of its clock
_THREADS = 8  # hashing does not hold the interpreter's lock, and a disk answers several readers faster
_TOGETHER = 64

_TABLE = "CREATE TABLE IF NOT EXISTS files (path BLOB PRIMARY KEY, stamp TEXT, sha256 TEXT)"
_FIND = "SELECT stamp, sha256 FROM files WHERE path = ?"
_DROP = "DELETE FROM files WHERE path = ?"
_ADD = "INSERT OR REPLACE INTO files VALUES (?, ?, ?)"

Stamp = tuple[str, int, int, int, int]
"""Path, size, inode, and times of the last change of content and of status, in nanoseconds.

Only the system sets the time of a status change. So the stamp differs for a file that was edited and then
given its old time back.
"""

_computed: dict[Stamp, str] = {}


def digests(paths: Sequence[str], home: str) -> dict[str, str]:
    """Path -> hex sha256 of the file.

    Digests that took long are kept in `BENCH_HOME/cache/file-digests.sqlite` and read from it as long as the
    file's stamp is the same. They are computed anew if they cannot be kept.

    Args:
        paths: The files.
        home: The folder `BENCH_HOME`.

    Raises:
        PassingError: A file cannot be read, not even after about a second.
    """
    stamps = {path: stamp_of(path) for path in paths}
    missing = {stamp for stamp in stamps.values() if stamp not in _computed}
    store = Path(home) / "cache" / "file-digests.sqlite"
    if missing and store.is_file():
        _computed.update(_kept(store, missing))
        missing = {stamp for stamp in missing if stamp not in _computed}
    new: dict[Stamp, str] = {}
    if missing:
        began, now = time.perf_counter(), time.time_ns()
        new = _compute(sorted(missing))
        settled = {s: d for s, d in new.items() if now - max(s[3:]) > _SETTLED}
        _computed.update(settled)
        if time.perf_counter() - began > _WORTH_KEEPING:
            _keep(store, settled)
    fresh = {stamp[0]: digest for stamp, digest in new.items()}
    return {path: fresh.get(path) or _computed[stamp] for path, stamp in stamps.items()}


def forget(path: str, home: str) -> None:
    """Drop the digest of a file whose content turned out to be another one under the same stamp."""
    for stamp in [stamp for stamp in _computed if stamp[0] == path]:
        del _computed[stamp]
    store = Path(home) / "cache" / "file-digests.sqlite"
    if store.is_file():
        _change(store, _DROP, [(os.fsencode(path),)])


def stamp_of(path: str) -> Stamp:
    """What tells a file from what it was before.

    Raises:
        PassingError: The file cannot be looked at, not even after about a second.
    """
    try:
        return _stamped(path, os.stat(path))  # noqa: PTH116 - thousands of these; a Path takes longer
    except OSError:
        pass
    try:
        return _stamped(path, patiently(Path(path).stat))
    except OSError as error:
        raise cannot_read(error, path) from error


def _stamped(path: str, status: os.stat_result) -> Stamp:
    return (path, status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)


def _compute(stamps: Sequence[Stamp]) -> dict[Stamp, str]:
    """Stamp of each file as it was while it was read -> its digest."""
    groups = [stamps[i : i + _TOGETHER] for i in range(0, len(stamps), _TOGETHER)]
    with ThreadPoolExecutor(min(_THREADS, len(groups)), "file-digest") as pool:
        return dict(pair for part in pool.map(_hash, groups) for pair in part)


def _hash(stamps: Sequence[Stamp]) -> list[tuple[Stamp, str]]:
    return [_sha256(stamp[0]) for stamp in stamps]


def _sha256(path: str) -> tuple[Stamp, str]:
    try:
        return patiently(lambda: _hashed(path))
    except OSError as error:
        raise cannot_read(error, path, instead="take it out of the folder") from error


def _hashed(path: str) -> tuple[Stamp, str]:
    """The digest, read in pieces so that no whole photo is in memory, and the stamp of what was read.

    Raises:
        OSError: The file cannot be read, or was written meanwhile.
    """
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - thousands of these
        before = os.fstat(file.fileno())
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        after = _stamped(path, os.fstat(file.fileno()))
    if _stamped(path, before) != after:
        raise OSError(errno.EBUSY, "it was written while it was read", path)
    return after, sha256


def _kept(store: Path, wanted: Iterable[Stamp]) -> Iterator[tuple[Stamp, str]]:
    try:
        with closing(sqlite3.connect(store)) as base:
            for stamp in wanted:
                row = base.execute(_FIND, (_bytes(stamp),)).fetchone()
                if row is not None and row[0] == repr(stamp[1:]):
                    yield stamp, row[1]
    except sqlite3.Error:
        return  # the store is damaged or locked: the digests are computed anew


def _keep(store: Path, new: Mapping[Stamp, str]) -> None:
    rows = [(_bytes(stamp), repr(stamp[1:]), digest) for stamp, digest in new.items()]
    _change(store, _ADD, rows)


def _change(store: Path, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    try:
        store.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(store)) as base, base:
            base.execute(_TABLE)
            base.executemany(statement, rows)
    except (sqlite3.Error, OSError):
        return  # the store cannot be written or is damaged: the digests are computed anew the next time


def _bytes(stamp: Stamp) -> bytes:
    return os.fsencode(stamp[0])
