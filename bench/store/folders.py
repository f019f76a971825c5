"""The two folders: `BENCH_HOME` for what the benchmark keeps, `BENCH_REAL_DATA` for what it may only read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import UserError

if TYPE_CHECKING:  # paths are read before numpy is
    from bench.types import Folders


def folders() -> Folders:
    """Read both folders from the environment.

    Raises:
        UserError: `BENCH_REAL_DATA` names a folder that does not exist, or `BENCH_HOME` is not set and the
            user has no home folder.
    """
    from bench.types import Folders

    home = str(expanded(Path(os.environ.get("BENCH_HOME") or _usual_home())))
    given = os.environ.get("BENCH_REAL_DATA")
    real = str(expanded(Path(given))) if given else None
    if real is not None and not Path(real).is_dir():
        raise UserError(
            f"BENCH_REAL_DATA is {real!r}, and there is no such folder. Set it to one, or unset it."
        )
    return Folders(home=home, real_data=real)


def expanded(path: Path) -> Path:
    """A path with the home folder in the place of `~`; the same path where there is no such home."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def _usual_home() -> str:
    """The folder that the platform has for what a program keeps.

    Raises:
        UserError: The user has no home folder, such as a container's user whom its system does not know.
    """
    import platformdirs

    try:
        return platformdirs.user_cache_dir("cloakbench")
    except RuntimeError as error:
        raise UserError(
            "there is no home folder to keep results, weights and data in. Set BENCH_HOME to a folder of "
            "yours."
        ) from error
