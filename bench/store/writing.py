"""Files that are whole or do not exist at all, whatever happens while they are written.

Everything that a command writes is written here, and outputs are tried before the work starts.
"""

from __future__ import annotations

import errno
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bench.errors import cannot_write


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under a name of its own beside its place, and then rename it into its place.

    Neither a reader nor another process meets half of the file. A full disk leaves nothing behind.

    Args:
        path: The file. Its folder exists.
        content: The whole content.

    Raises:
        OSError: The file cannot be written. A former file of that name is as it was.
    """
    part = path.with_name(f".part-{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
            file.write(content)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_output(files: Mapping[Path, bytes], what: str, *, instead: str) -> None:
    """Write files that the user asked for, and make their folders.

    A link is followed. A device or a pipe, such as `/dev/stdout`, is written to and never replaced.

    Args:
        files: Path -> content.
        what: What is written and where to, for the error.
        instead: What else the user may do, such as `choose another --out`.

    Raises:
        UserError: A file cannot be written. Each file before it is whole.
    """
    try:
        for path, content in files.items():
            place = Path(os.path.realpath(path))
            place.parent.mkdir(parents=True, exist_ok=True)
            if place.exists() and not place.is_file() and not place.is_dir():
                place.write_bytes(content)
            else:
                write_whole(place, content)
    except OSError as error:
        raise cannot_write(error, what, instead=instead) from error


def try_folder(folder: Path, *, instead: str) -> None:
    """See that files can be written into a folder that need not exist yet; nothing is left behind.

    Args:
        folder: The folder.
        instead: What else the user may do.

    Raises:
        UserError: Files cannot be written there.
    """
    try:
        _try(_nearest(folder.absolute()))
    except OSError as error:
        raise cannot_write(error, f"to {folder}", instead=instead) from error


def try_file(path: Path, *, instead: str) -> None:
    """See that a file can be written; nothing is left behind.

    Args:
        path: The file. Neither the file nor its folder need exist yet.
        instead: What else the user may do.

    Raises:
        UserError: The file cannot be written.
    """
    try:
        place = Path(os.path.realpath(path))
        nearest = _nearest(place)
        if nearest != place:
            _try(nearest)
        elif place.is_dir():
            raise _error(errno.EISDIR, place)
        elif place.is_file():
            _try(place.parent)
    except OSError as error:
        raise cannot_write(error, f"to {path}", instead=instead) from error


def _try(folder: Path) -> None:
    """Make a file in a folder that has no name there, or loses it at once."""
    if not folder.is_dir():
        raise _error(errno.ENOTDIR, folder)
    with tempfile.TemporaryFile(dir=folder):
        pass


def _nearest(path: Path) -> Path:
    """A path itself if it leads to something, or else the first of the folders above it that exists."""
    while True:
        try:
            path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            path = path.parent
        else:
            return path


def _error(number: int, path: Path) -> OSError:
    return OSError(number, os.strerror(number), str(path))
