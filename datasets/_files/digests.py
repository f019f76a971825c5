"""Digests of files: several threads compute them, once for each file, and slow ones are kept on disk."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

UNREADABLE = hashlib.sha256(b"").hexdigest()
"""The digest of a file that cannot be read, and of an empty file: neither holds a photo."""

_WORTH_KEEPING = 1.0  # digests are kept if they took longer than this many seconds
_SETTLED = 2 * 10**9  # nanoseconds: a younger file may still change within one tick of its clock
_THREADS = 8  # hashing does not hold the interpreter's lock, and a disk answers several readers faster
_TOGETHER = 64

_TABLE = "CREATE TABLE IF NOT EXISTS files (path BLOB PRIMARY KEY, stamp TEXT, sha256 TEXT)"
_FIND = "SELECT stamp, sha256 FROM files WHERE path = ?"
_ADD = "INSERT OR REPLACE INTO files VALUES (?, ?, ?)"

Stamp = tuple[str, int, int, int, int]
"""Path, size, inode, and times of the last change of content and of status, in nanoseconds.

Only the system sets the time of a status change. So the stamp differs for a file that was edited and then
given its old time back.
"""

_computed: dict[Stamp, str] = {}


def digests(paths: Sequence[str], home: str) -> dict[str, str]:
    """Path -> hex sha256 of the file; `UNREADABLE` for a file that cannot be read.

    Digests that took long are kept in `BENCH_HOME/cache/file-digests.sqlite` and read from it as long as the
    file's stamp is the same. They are computed anew if they cannot be kept.

    Args:
        paths: The files.
        home: The folder `BENCH_HOME`.
    """
    stamps = {path: _stamp(path) for path in paths}
    missing = {stamp for stamp in stamps.values() if stamp is not None and stamp not in _computed}
    store = Path(home) / "cache" / "file-digests.sqlite"
    if missing and store.is_file():
        _computed.update(_kept(store, missing))
        missing = {stamp for stamp in missing if stamp not in _computed}
    if missing:
        began, now = time.perf_counter(), time.time_ns()
        new = _compute(sorted(missing))
        _computed.update(new)
        if time.perf_counter() - began > _WORTH_KEEPING:
            _keep(store, {s: d for s, d in new.items() if now - max(s[3:]) > _SETTLED})
    return {path: UNREADABLE if s is None else _computed.get(s, UNREADABLE) for path, s in stamps.items()}


def _stamp(path: str) -> Stamp | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - thousands of these; a Path each costs more than the call
    except OSError:
        return None  # its digest is UNREADABLE
    return (path, status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)


def _compute(stamps: Sequence[Stamp]) -> dict[Stamp, str]:
    groups = [stamps[i : i + _TOGETHER] for i in range(0, len(stamps), _TOGETHER)]
    with ThreadPoolExecutor(min(_THREADS, len(groups)), "file-digest") as pool:
        return {stamp: sha256 for part in pool.map(_hash, groups) for stamp, sha256 in part if sha256}


def _hash(stamps: Sequence[Stamp]) -> list[tuple[Stamp, str]]:
    return [(stamp, _sha256(stamp[0])) for stamp in stamps]


def _sha256(path: str) -> str:
    """The digest, read in pieces so that no whole photo is in memory; empty if the file cannot be read."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - as above
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""  # not kept: the file may be readable the next time


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
    try:
        store.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(store)) as base, base:
            base.execute(_TABLE)
            rows = ((_bytes(stamp), repr(stamp[1:]), digest) for stamp, digest in new.items())
            base.executemany(_ADD, rows)
    except (sqlite3.Error, OSError):
        return  # the store cannot be written or is damaged: the digests are computed anew the next time


def _bytes(stamp: Stamp) -> bytes:
    return os.fsencode(stamp[0])
