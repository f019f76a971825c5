"""The two folders: `BENCH_HOME` for what the benchmark keeps, `BENCH_REAL_DATA` for what it may only read."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from bench.errors import UserError
from bench.types import Folders


def folders() -> Folders:
    """Read both folders from the environment.

    Raises:
        UserError: `BENCH_REAL_DATA` names a folder that does not exist.
    """
    home = os.environ.get("BENCH_HOME") or platformdirs.user_cache_dir("cloakbench")
    real = os.environ.get("BENCH_REAL_DATA") or None
    if real is not None and not Path(real).is_dir():
        raise UserError(
            f"BENCH_REAL_DATA is {real!r}, and there is no such folder. Set it to one, or unset it."
        )
    return Folders(home=home, real_data=real)
