"""What became of each user of a row under each condition, and the panel of all conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.board.figures import FIGURES
from bench.board.user_tables import Users
from bench.records.record import CellRecord
from bench.types import Floats
from bench.uncertainty.panel import Panel, cfr_panel, psr_panel


@dataclass(frozen=True, slots=True)
class Met:
    """What a row's cells come to.

    Attributes:
        figure: one of `bench.board.figures.FIGURES`.
        outcomes: condition -> float [draw, user], NaN for what failed.
        at_worst: the same, had the photos that are not ok gone worst for their users.
        panel: of all conditions; None where not one has a complete result.
    """

    figure: str
    outcomes: Mapping[str, Floats]
    at_worst: Mapping[str, Floats]
    panel: Panel | None

    def missing(self, conditions: Sequence[str]) -> tuple[str, ...]:
        """Those of all conditions that have no complete result."""
        if self.panel is not None:
            return self.panel.missing
        return tuple(c for c in conditions if c not in self.outcomes or not complete(self.outcomes[c]))

    def bound(self) -> float:
        """The strongest attacker's rate, had the photos that are not ok gone worst."""
        rates = [float(of_one.mean()) for of_one in self.at_worst.values() if complete(of_one)]
        return max(rates) if FIGURES[self.figure].clusters else min(rates)


def complete(outcomes: Floats) -> bool:
    """Whether there are users, and each has an outcome in each draw."""
    return outcomes.size > 0 and bool(np.isfinite(outcomes).all())


def people_of(rows: Mapping[str, Sequence[CellRecord]], users: Users) -> list[str]:
    """All users of some rows, sorted."""
    cells = [record.cell for cells in rows.values() for record in cells]
    return sorted({user for cell in cells if cell in users for user in users[cell].users})


def draws_of(cells: Sequence[CellRecord]) -> dict[int, int]:
    """The number of each draw of a row -> its place in the outcomes."""
    return {draw: i for i, draw in enumerate(sorted({record.draw for record in cells}))}


def meet(
    figure: str,
    cells: Sequence[CellRecord],
    named: Mapping[str, str],
    conditions: Sequence[str],
    people: Sequence[str],
    users: Users,
) -> Met:
    """What the cells of one row come to.

    Args:
        figure: one of `bench.board.figures.FIGURES`.
        cells: of the row.
        named: cell -> its condition.
        conditions: all of them, in the order of the panel.
        people: all users of the track.
        users: their tables.
    """
    found = _outcomes(figure, cells, named, people, users)
    worst = _outcomes(figure, cells, named, people, users, at_worst=True)
    outcomes, at_worst = ({c: table[c] for c in conditions if c in table} for table in (found, worst))
    panel = None
    if any(map(complete, outcomes.values())):
        panel = (cfr_panel if FIGURES[figure].clusters else psr_panel)(outcomes, conditions)
    return Met(figure, outcomes, at_worst, panel)


def _outcomes(
    figure: str,
    cells: Sequence[CellRecord],
    named: Mapping[str, str],
    people: Sequence[str],
    users: Users,
    *,
    at_worst: bool = False,
) -> dict[str, Floats]:
    """Condition -> [draw, user]; NaN for what failed."""
    draws = draws_of(cells)
    place = {user: i for i, user in enumerate(people)}
    column = FIGURES[figure].column
    tables: dict[str, Floats] = {}
    for record in cells:
        table = tables.setdefault(named[record.cell], np.full((len(draws), len(people)), np.nan))
        of_cell = users.get(record.cell)
        if record.status == "ok" and of_cell is not None and column in of_cell.columns:
            values = of_cell.at_worst(figure, record.metrics[figure]) if at_worst else of_cell.columns[column]
            table[draws[record.draw], [place[user] for user in of_cell.users]] = values
    return tables
