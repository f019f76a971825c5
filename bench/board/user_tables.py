"""How each user fared in each cell: what panels, curves and paired tests are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from bench.board.figures import FIGURES
from bench.board.parquet import COUNT, RATE, Held, damaged, read_table
from bench.board.photo_tables import FILE as PHOTOS
from bench.board.photo_tables import NUMBERS, TEXTS, PhotoTable
from bench.records.record import Metric
from bench.types import Floats

FILE = "users.parquet"


@dataclass(frozen=True, slots=True)
class UserTable:
    """The users of one cell.

    Attributes:
        users: digest of each user, each once.
        columns: name -> float [user], whatever the attacker of the cell gives, such as `formed` or `psr1`.
        photos: their released photos; None where nobody needs them.
    """

    users: tuple[str, ...]
    columns: Mapping[str, Floats]
    photos: PhotoTable | None = None

    @classmethod
    def of(cls, table: Mapping[str, Any], photos: Mapping[str, Any] | None = None) -> UserTable:
        """A table out of columns, one of them `user`; columns without any number are left out.

        One file holds the users of all cells, so that a clusterer's columns are empty where an identifier
        ran.

        Args:
            table: The columns.
            photos: The columns of their photos, as `PhotoTable.of` takes them.

        Raises:
            ValueError: As in `PhotoTable.of`.
        """
        columns = {
            name: np.asarray(values, np.float64)
            for name, values in table.items()
            if name not in ("user", "cell")
        }
        filled = {name: values for name, values in columns.items() if not np.isnan(values).all()}
        users = tuple(str(user) for user in table["user"])
        return cls(users, filled, None if photos is None else PhotoTable.of(photos, users))

    def at_worst(self, figure: str, metric: Metric) -> Floats | None:
        """A figure of each user if the photos that are not ok had gone worst for this user: float [user].

        Args:
            figure: One of `bench.board.figures.FIGURES`.
            metric: What the record of the cell says of it.

        Returns:
            The figure's own column where all photos are ok or nobody knows of them, and where the record says
            that the worst case is what happened; None where the cell lacks the column.

        Raises:
            ValueError: The columns of the photos contradict each other.
        """
        own = self.columns.get(FIGURES[figure].column)
        if own is None or self.photos is None or self.photos.sure.all():
            return own
        if metric.bounds is not None and metric.value == metric.bounds[1 if FIGURES[figure].clusters else 0]:
            return own
        if (
            figure == "protection_rate"
        ):  # the photos are what the attacker learned from, all of a user's or none
            return np.where(self.photos.doubtful(), 0.0, own)
        if figure == "psr1":
            return self.photos.named_at_worst() if "rank" in self.photos.columns else None
        return self.photos.formed_at_worst(linking=figure == "cfr_link") if self.photos.clustered else None


Users: TypeAlias = Mapping[str, UserTable]
"""Cell digest -> its users."""

Cells: TypeAlias = Mapping[str, Mapping[str, "np.ndarray[Any, Any]"]]
"""Cell digest -> column -> values, as `bench.board.parquet.table_in` gives them."""


TEXTS_OF_USERS = ("user",)

NUMBERS_OF_USERS: Mapping[str, Held] = {
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


def read_users(folder: Path, *, of_photos: bool = False) -> dict[str, UserTable]:
    """The users of all cells of a folder that `bench run --out` wrote.

    Args:
        folder: The folder.
        of_photos: Whether their photos are read too.

    Raises:
        UserError: The folder lacks a table, or has a damaged one, such as one that names a user twice.
    """
    cells = read_table(folder, FILE, TEXTS_OF_USERS, NUMBERS_OF_USERS)
    photos = read_table(folder, PHOTOS, TEXTS, NUMBERS) if of_photos else None
    return users_of(cells, photos, folder)


def users_of(cells: Cells, photos: Cells | None, folder: Path) -> dict[str, UserTable]:
    """The users of all cells, of tables that were read.

    Args:
        cells: Cell digest -> the columns of its users.
        photos: The same of their photos; None where nobody needs them.
        folder: Whose tables they are, for messages.

    Raises:
        UserError: A table names a user twice, or the two contradict each other.
    """
    of_photos = photos is not None
    photos = photos or {}
    tables = {}
    for cell, columns in cells.items():
        if len(set(columns["user"])) < len(columns["user"]):
            raise damaged(folder / FILE, f"it names a user of cell {cell[:12]} twice")
        if of_photos and cell not in photos:
            raise damaged(folder / PHOTOS, f"it has no photos of cell {cell[:12]}")
        try:
            tables[cell] = UserTable.of(columns, photos.get(cell))
        except ValueError as error:
            raise damaged(folder / PHOTOS, f"of cell {cell[:12]}: {error}") from error
    return tables
