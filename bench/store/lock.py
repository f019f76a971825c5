"""The lock file in `BENCH_HOME`: digests that are pinned at first use and verified ever after."""

from __future__ import annotations

import json
from pathlib import Path

from bench.errors import UserError, cannot_write
from bench.store.only_reading import reading
from bench.store.reading import read_whole
from bench.store.reasons import reason
from bench.store.writing import write_whole
from bench.types import Folders

LOCK = "bench.lock.json"
FORMER = "weights.lock.json"
"""The file's name when it held weights only. Its pins still count."""


def recorded(name: str, folders: Folders) -> str:
    """The sha256 that is pinned for a name; empty where none is.

    Args:
        name: The file's name, without its folder.
        folders: The folders; `home` holds the lock.

    Raises:
        UserError: The lock file cannot be read.
    """
    return _pins(folders).get(name, "")


def pin(name: str, sha256: str, folders: Folders) -> None:
    """Write down a file's digest, which is required from now on; in the scope of `only_reading`, do not.

    Raises:
        UserError: The lock file cannot be read or written.
    """
    pins = _pins(folders)
    if pins.get(name) == sha256 or reading():
        return
    lock = Path(folders.home) / LOCK
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        write_whole(lock, (json.dumps(pins | {name: sha256}, indent=1, sort_keys=True) + "\n").encode())
    except OSError as error:
        instead = "set BENCH_HOME to a folder of yours"
        raise cannot_write(error, f"the digest of {name} to {lock}", instead=instead) from error


def _pins(folders: Folders) -> dict[str, str]:
    return _read(Path(folders.home) / FORMER) | _read(Path(folders.home) / LOCK)


def _read(lock: Path) -> dict[str, str]:
    try:
        pins = json.loads(read_whole(lock)) if lock.is_file() else {}
    except (ValueError, RecursionError) as error:
        raise UserError(f"{lock} is damaged ({reason(error)}). Delete it to pin its files anew.") from error
    if not isinstance(pins, dict):
        raise UserError(f"{lock} is damaged (no object). Delete it to pin its files anew.")
    return {str(name): str(sha256) for name, sha256 in pins.items()}
