"""Files that are whole or not there at all, whatever happens while they are written."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place, under a name of its own, then rename it into its place.

    A reader, a kill or another process never meets half a file. On a full disk nothing is left behind.

    Args:
        path: The file; its folder exists.
        content: The whole content.

    Raises:
        OSError: The file cannot be written; a former file of that name is unchanged.
    """
    part = path.with_name(f".part-{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
            file.write(content)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
