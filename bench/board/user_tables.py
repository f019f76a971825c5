"""How each user fared in each cell: what panels, curves and paired tests are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from bench.board.parquet import COUNT, RATE, Held, read_table
from bench.errors import UserError
from bench.types import Floats

FILE = "users.parquet"


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


_NUMBERS: Mapping[str, Held] = {
    "support": COUNT,
    **dict.fromkeys(
        (
            "purity",
            "coverage",
            "formed",
            "formed_strict",
            "formed_linked",
            "psr1",
            "psr5",
            "protection_rate",
            "protection_rate_5",
        ),
        RATE,
    ),
}
"""Column of a table of users -> what it holds."""


def read_users(folder: Path) -> dict[str, UserTable]:
    """The users of all cells of a folder that `bench run --out` wrote.

    Raises:
        UserError: The folder has no table of users, or a damaged one, or one that names a user twice.
    """
    cells = read_table(folder, FILE, ("user",), _NUMBERS)
    tables = {}
    for cell, columns in cells.items():
        tables[cell] = UserTable.of({name: values.tolist() for name, values in columns.items()})
        if len(set(tables[cell].users)) < len(tables[cell].users):
            raise UserError(
                f"{folder / FILE} is damaged: it names a user of cell {cell[:12]} twice. "
                "Repeat the command that wrote it."
            )
    return tables
