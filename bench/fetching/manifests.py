"""The list of a fetched folder's files: `FOLDER.sha256` beside it, as `sha256sum -c` reads it, pinned."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from bench.errors import UserError
from bench.store import lock, weights
from bench.store.reading import read_text
from bench.store.reasons import reason
from bench.store.writing import write_whole
from bench.types import Folders


def write(target: Path, digests: Mapping[str, str], folders: Folders) -> None:
    """Write down what a folder must hold, and pin the list.

    Args:
        target: The folder, which need not exist yet.
        digests: Path below the folder -> hex sha256.
        folders: The folders; `home` holds the lock.
    """
    listed = _beside(target)
    lines = "".join(f"{sha256}  {target.name}/{name}\n" for name, sha256 in sorted(digests.items()))
    write_whole(listed, lines.encode())
    lock.pin(listed.name, weights.digest(listed), folders)


def verify(target: Path, folders: Folders) -> None:
    """Check that a folder holds what was fetched. Other files in it do not matter.

    Raises:
        UserError: A file is missing or altered, or the folder was not fetched.
    """
    listed = _beside(target)
    pinned = lock.recorded(listed.name, folders)
    if not listed.is_file() or not pinned:
        raise UserError(
            f"{target} is there, but not from 'bench fetch', so there is nothing to verify it by. "
            "Use it as it is, or move it away and fetch again."
        )
    weights.verified(listed, pinned)
    wrong = []
    try:
        lines = read_text(listed).splitlines()
    except UnicodeDecodeError as error:
        raise UserError(
            f"{listed} is damaged ({reason(error)}). Move {target} away and fetch it again."
        ) from error
    for line in lines:
        if not _LINE.fullmatch(line):
            raise UserError(
                f"{listed} is damaged: no digest and name in {line[:40]!r}. Fetch {target} again."
            )
        sha256, _, name = line.partition("  ")
        path = target.parent / name
        if not _is_file(path):
            wrong.append(f"{path} is missing")
        elif (actual := weights.digest(path)) != sha256:
            wrong.append(f"the sha256 of {path} is {actual}, it should be {sha256}")
    if wrong:
        raise UserError(
            f"{target} is not what was fetched: {wrong[0]} ({len(wrong)} of {len(lines)} files). "
            "Move it away and fetch it again."
        )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # such as a name that no file can have
        return False


_LINE = re.compile(r"[0-9a-f]{64}  [^\0]{1,1000}")
"""A digest and the path of a file."""


def _beside(target: Path) -> Path:
    return target.with_name(target.name + ".sha256")
