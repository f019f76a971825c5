"""How each user fared in each cell: what panels, curves and paired tests are made of."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from bench.errors import UserError
from bench.store.reading import read_whole
from bench.types import Floats


@dataclass(frozen=True, slots=True)
class UserTable:
    """The users of one cell.

    Attributes:
        users: digest of each user, each once.
        columns: name -> float [user], whatever the attacker of the cell gives, such as `formed` or `psr1`.
    """

    users: tuple[str, ...]
    columns: Mapping[str, Floats]

    @classmethod
    def of(cls, table: Mapping[str, Sequence[Any]]) -> UserTable:
        """A table out of columns, one of them `user`; columns without any number are left out.

        One file holds the users of all cells, so that a clusterer's columns are empty where an identifier
        ran.
        """
        columns = {
            name: np.asarray(values, np.float64)
            for name, values in table.items()
            if name not in ("user", "cell")
        }
        filled = {name: values for name, values in columns.items() if not np.isnan(values).all()}
        return cls(tuple(str(user) for user in table["user"]), filled)


Users: TypeAlias = Mapping[str, UserTable]
"""Cell digest -> its users."""


def read_users(folders: Iterable[Path]) -> dict[str, UserTable]:
    """The users of all cells, from folders that `bench run --out` wrote.

    Raises:
        UserError: if a folder has no table of users, or a damaged one.
    """
    return {cell: table for folder in folders for cell, table in _read(folder).items()}


def _read(folder: Path) -> dict[str, UserTable]:
    import pandas as pd

    file = folder / "users.parquet"
    if not file.is_file():
        raise UserError(
            f"the users of every cell are needed, and {file} is not there. "
            "Name a folder that 'bench run --out' wrote."
        )
    content = read_whole(file)
    try:
        table = pd.read_parquet(io.BytesIO(content))
    except (OSError, ValueError) as error:
        raise UserError(f"{file} is damaged ({error}). Repeat the command that wrote it.") from error
    return {
        str(cell): UserTable.of({str(name): rows[name].tolist() for name in rows.columns})
        for cell, rows in table.groupby("cell", sort=False)
    }
