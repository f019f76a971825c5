"""Files that are read whole, patiently, and with an error that fits."""

from __future__ import annotations

from pathlib import Path

from bench.errors import cannot_read, patiently


def read_whole(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        PassingError: The file cannot be read, not even after about a second.
    """
    try:
        return patiently(path.read_bytes)
    except OSError as error:
        raise cannot_read(error, str(path)) from error


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, without the byte order mark that editors put before it.

    Raises:
        PassingError: The file cannot be read, not even after about a second.
        UnicodeDecodeError: It is not UTF-8.
    """
    return read_whole(path).decode("utf-8-sig")
