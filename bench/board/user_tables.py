"""What each user fared in each cell: what panels, curves and paired tests are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.errors import UserError

Users = Mapping[str, Mapping[str, Sequence[Any]]]
"""Cell digest -> column -> one value a user."""


def read_users(folders: Iterable[Path]) -> dict[str, dict[str, list[Any]]]:
    """Per-user tables of all cells, from folders that `bench run --out` wrote.

    Raises:
        UserError: if there is none, or it is damaged.
    """
    return {cell: table for folder in folders for cell, table in _read(folder).items()}


def _read(folder: Path) -> dict[str, dict[str, list[Any]]]:
    import pandas as pd

    file = folder / "users.parquet"
    try:
        table = pd.read_parquet(file)
    except FileNotFoundError:
        raise UserError(
            f"the users of every cell are needed, and {file} is not there. "
            "Name a folder that 'bench run --out' wrote."
        ) from None
    except (OSError, ValueError) as error:
        raise UserError(f"{file} is damaged ({error}). Repeat the command that wrote it.") from error
    return {
        str(cell): {str(name): list(rows[name]) for name in rows.columns if name != "cell"}
        for cell, rows in table.groupby("cell", sort=False)
    }
