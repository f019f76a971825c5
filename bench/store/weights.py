"""Files of weights: where they lie, and whether they are the right ones. No byte is parsed unverified."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bench.errors import PassingError, UserError, cannot_read
from bench.store import lock
from bench.store.reading import read_whole
from bench.types import Folders

_digests: dict[tuple[str, int, int, int, int], str] = {}


def places(folders: Folders) -> list[Path]:
    """The folders that are searched for weights, in order."""
    roots = [folders.real_data, folders.home]
    return [Path(root) / "weights" for root in roots if root]


def verified(path: Path, sha256: str, size: int | None = None) -> Path:
    """The path, once the digest of its bytes is checked.

    Args:
        path: The file.
        sha256: The digest that it should have.
        size: The bytes that it should have, where they are known: a file that was cut short is told as such.

    Raises:
        UserError: The digest or the size is another one; the message shows both.
    """
    if size is not None and (bytes_there := _size(path)) != size:
        raise UserError(
            f"{path} is cut short or another file: it has {bytes_there:,} bytes, it should have {size:,}. "
            "Delete it and get it again."
        )
    actual = digest(path)
    if actual != sha256:
        raise UserError(
            f"{path} is altered or damaged: its sha256 is {actual}, it should be {sha256}. "
            "Delete it and get it again."
        )
    return path


def read(path: Path, sha256: str = "") -> bytes:
    """The bytes of a file.

    Args:
        path: The file.
        sha256: The digest under which results of these weights are stored; empty where there is none yet.

    Raises:
        PassingError: The file cannot be read, or it has another digest by now.
    """
    content = read_whole(path)
    if sha256 and hashlib.sha256(content).hexdigest() != sha256:
        raise PassingError(f"{path} has changed since its digest was taken. Repeat the command.")
    return content


def digest(path: Path) -> str:
    """Hex sha256 of a file, computed once a process while the file keeps its size and its times."""
    try:
        stat = path.stat()
        key = (str(path), stat.st_size, stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns)
        if key not in _digests:
            with path.open("rb") as file:
                _digests[key] = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise cannot_read(error, str(path)) from error
    return _digests[key]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise cannot_read(error, str(path)) from error


def pinned(path: Path, folders: Folders) -> str:
    """The digest of a file without a published one, as it was at its first use. A first use pins it.

    Raises:
        UserError: The lock file cannot be read or written.
    """
    sha256 = lock.recorded(path.name, folders)
    if not sha256:
        sha256 = digest(path)
        lock.pin(path.name, sha256, folders)
    return sha256
