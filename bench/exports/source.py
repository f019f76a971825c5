"""What every format is made of: the records of a board, their users, and when they were exported."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.board.loading import load
from bench.board.user_tables import Users
from bench.errors import UserError
from bench.records.record import CellRecord

CLOCK = "SOURCE_DATE_EPOCH"
"""The variable that gives the time in the place of the clock, so that two exports have the same bytes."""


@dataclass(frozen=True, slots=True)
class Source:
    """Records that are to be exported.

    Attributes:
        records: each cell once.
        users: their users, by cell.
        paths: the folders that they were read from.
        made: seconds since 1970 at which they are exported.
    """

    records: Sequence[CellRecord]
    users: Users
    paths: tuple[Path, ...]
    made: int


def read(paths: Sequence[Path]) -> Source:
    """Read the records of some folders.

    Raises:
        UserError: Records cannot be read, or there are none.
    """
    records, users = load(paths, of_users=True, of_photos=True)
    if not records:
        raise UserError(
            f"there is no record in {', '.join(map(str, paths))}: an export needs at least one cell."
        )
    return Source(records, users, tuple(paths), _now())


def _now() -> int:
    stated = os.environ.get(CLOCK)
    if stated is None:
        return int(time.time())
    if not (stated.isascii() and stated.isdigit() and len(stated) <= 12):
        raise UserError(f"{CLOCK} is {stated!r}. Set it to seconds since 1970, or unset it.")
    return int(stated)
