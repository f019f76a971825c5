"""Folders of records -> the cells of two measurements, and the users behind them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.board.loading import load
from bench.board.user_tables import Users
from bench.comparison.pairing import Pairing, compared, defenses, runs
from bench.errors import UserError
from bench.records.record import CellRecord


def measured(path: Path) -> tuple[list[CellRecord], Users]:
    """The cells of a folder that can be compared, and their users.

    Args:
        path: A folder that `bench run --out` wrote, or its `records.json`.

    Raises:
        UserError: It cannot be read, or holds no such cell.
    """
    records, users = load([path.parent if path.is_file() else path], of_users=True, of_photos=True)
    cells = compared(records)
    if not cells:
        raise UserError(f"{path} holds no cell that can be compared: all are skipped, or oracles.")
    return cells, users


def of_defenses(folders: Sequence[Path], first: str, second: str) -> tuple[Pairing, Users, Users]:
    """Two defenses of some folders.

    Raises:
        UserError: As in `load` and `bench.comparison.pairing.defenses`.
    """
    records, users = load(folders, of_users=True, of_photos=True)
    return defenses(compared(records), first, second), users, users


def of_runs(first: str, second: str) -> tuple[Pairing, Users, Users]:
    """Two folders.

    Raises:
        UserError: As in `measured`; a text that is no path may be a defense, which needs --records.
    """
    for text in (first, second):
        if not Path(text).exists():
            raise UserError(
                f"there is no folder {text!r}. To compare two defenses, name their records: "
                f"bench compare {first} {second} --records DIR"
            )
    (before, users), (after, others) = measured(Path(first)), measured(Path(second))
    return runs(before, after), users, others
