"""Where photos lie: the usual places, and folders that a user names."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from bench.errors import UserError, cannot_read, patiently
from bench.types import Folders


def entries(folder: str | Path) -> list[os.DirEntry[str]]:
    """The entries of a folder, sorted by name: the file system's order does not matter.

    Raises:
        OSError: The folder cannot be read, not even after about a second.
    """

    def listed() -> list[os.DirEntry[str]]:
        with os.scandir(folder) as inside:
            return sorted(inside, key=lambda entry: entry.name)

    return patiently(listed)


def of_the_entry(error: OSError) -> bool:
    """Whether an error says something about a file or folder itself, and not about the moment."""
    return error.errno in (errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG)


def is_folder(dataset: str, path: Path) -> bool:
    """Whether a path is a folder; False if nothing has that path.

    Args:
        dataset: The data set's name in messages, such as `data set 'lfw'`.
        path: The path.

    Raises:
        UserError: if the path is a file, or cannot be looked at.
    """
    try:
        mode = path.stat().st_mode
    except ValueError:
        return False  # a path with a null character names nothing
    except OSError as error:
        # a path that is too long, or that leads through a file, names nothing
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG):
            return False
        raise unreadable(dataset, error) from error
    if not stat.S_ISDIR(mode):
        raise UserError(f"{dataset}: {path} is a file. Name the folder that the photos lie in.")
    return True


def unreadable(dataset: str, error: OSError) -> UserError:
    """The user's error for a folder or file that the system refuses to read."""
    return cannot_read(error, whose=dataset, instead="name another folder")


def places(folders: Folders, *below_data: str, real: Sequence[str] = ()) -> list[Path]:
    """The folders where a data set may lie: below `BENCH_REAL_DATA` first, then below `BENCH_HOME/data`."""
    real_places = [Path(folders.real_data) / name for name in real] if folders.real_data else []
    return [*real_places, *(Path(folders.home) / "data" / name for name in below_data)]


def named_folder(dataset: str, root: str) -> Path:
    """The folder that the user named, with `~` for the home folder.

    Raises:
        UserError: if there is nothing, or no folder.
    """
    try:
        path = Path(root).expanduser()
    except RuntimeError:  # ~somebody, who has no account on this machine
        path = Path(root)
    if not is_folder(dataset, path):
        raise UserError(
            f"{dataset}: there is no folder {path}. Check the path; a relative one starts in {Path.cwd()}."
        )
    return path
