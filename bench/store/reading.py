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
