"""Digests of files: computed by several threads, once for each content, and kept where that saves time."""

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
"""Digest of a file that cannot be read, as of one without content: neither holds a photo."""

_WORTH_KEEPING = 1.0  # seconds that a computation took
_SETTLED = 2 * 10**9  # nanoseconds: a younger file may still change within one tick of its clock
_THREADS = 8  # hashing does not hold the interpreter's lock, and a disk answers several readers faster
_TOGETHER = 64

_TABLE = "CREATE TABLE IF NOT EXISTS files (path BLOB PRIMARY KEY, stamp TEXT, sha256 TEXT)"
_FIND = "SELECT stamp, sha256 FROM files WHERE path = ?"
_ADD = "INSERT OR REPLACE INTO files VALUES (?, ?, ?)"

Stamp = tuple[str, int, int, int, int]
"""Path, size, inode, and times of the last change of content and of status, in nanoseconds.

The time of a status change is set by the system alone, so a file that was edited and then given its old
time back is noticed.
"""

_known: dict[Stamp, str] = {}


def digests(paths: Sequence[str], home: str) -> dict[str, str]:
    """Path -> hex sha256 of the file; `UNREADABLE` where it cannot be read.

    What took long is kept in `BENCH_HOME/cache/file-digests.sqlite` and found again as long as the file is
    the same; without a place to keep it, it is computed anew.
    """
    stamps = {path: _stamp(path) for path in paths}
    missing = {stamp for stamp in stamps.values() if stamp is not None and stamp not in _known}
    store = Path(home) / "cache" / "file-digests.sqlite"
    if missing and store.is_file():
        _known.update(_kept(store, missing))
        missing = {stamp for stamp in missing if stamp not in _known}
    if missing:
        began, now = time.perf_counter(), time.time_ns()
        found = _computed(sorted(missing))
        _known.update(found)
        if time.perf_counter() - began > _WORTH_KEEPING:
            _keep(store, {s: d for s, d in found.items() if now - max(s[3:]) > _SETTLED})
    return {path: UNREADABLE if s is None else _known.get(s, UNREADABLE) for path, s in stamps.items()}


def _stamp(path: str) -> Stamp | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - thousands of these; a Path each costs more than the call
    except OSError:
        return None  # documented: its digest is UNREADABLE
    return (path, status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)


def _computed(stamps: Sequence[Stamp]) -> dict[Stamp, str]:
    groups = [stamps[i : i + _TOGETHER] for i in range(0, len(stamps), _TOGETHER)]
    with ThreadPoolExecutor(min(_THREADS, len(groups)), "file-digest") as pool:
        return {stamp: found for part in pool.map(_hashed, groups) for stamp, found in part if found}


def _hashed(stamps: Sequence[Stamp]) -> list[tuple[Stamp, str]]:
    return [(stamp, _sha256(stamp[0])) for stamp in stamps]


def _sha256(path: str) -> str:
    """In pieces, so that no photo is ever in memory; empty where the file cannot be read."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - as above
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""  # not remembered: the file may be readable the next time


def _kept(store: Path, wanted: Iterable[Stamp]) -> Iterator[tuple[Stamp, str]]:
    try:
        with closing(sqlite3.connect(store)) as base:
            for stamp in wanted:
                row = base.execute(_FIND, (_bytes(stamp),)).fetchone()
                if row is not None and row[0] == repr(stamp[1:]):
                    yield stamp, row[1]
    except sqlite3.Error:
        return  # damaged or locked: nothing is lost but time


def _keep(store: Path, found: Mapping[Stamp, str]) -> None:
    try:
        store.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(store)) as base, base:
            base.execute(_TABLE)
            rows = ((_bytes(stamp), repr(stamp[1:]), digest) for stamp, digest in found.items())
            base.executemany(_ADD, rows)
    except (sqlite3.Error, OSError):
        return  # nowhere to keep it, or damaged: computed anew the next time


def _bytes(stamp: Stamp) -> bytes:
    return os.fsencode(stamp[0])
