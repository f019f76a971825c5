"""`cost`: a row is a defense at one cost, and what attackers do to it there.

`rate` is CFR-chosen or PSR-chosen, or else the largest rate, between the two budgets around that cost. It is
empty where nothing was measured on one side. `≥` and `≤` stand at the rate of a weak attacker. `measured` is
the range of costs that was.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.board.equal_cost import KIND, CostRow, cost_rows
from bench.board.figures import FIGURES
from bench.board.further import OF_A_DEFENSE
from bench.board.table import CONFIDENT, Column, View
from bench.board.values import OneSided
from bench.board.views._settings import further_settings, settings
from bench.records.record import Metric


def _notes(rows: Sequence[CostRow]) -> list[str]:
    alone = sorted({row.defense for row in rows if row.points == 1})
    if not alone:
        return []
    return [
        f"{', '.join(alone)}: run under one budget only, so there is nothing to interpolate. Repeat the run "
        "with several, such as --budget linf:4 --budget linf:8 --budget linf:16."
    ]


def _rate(row: CostRow) -> Metric | OneSided | None:
    weak = row.rate is not None and row.weak
    return OneSided(row.rate, FIGURES[row.figure].clusters) if weak and row.rate else row.rate


COLUMNS: tuple[Column[CostRow], ...] = (
    Column("at", lambda row: f"{row.measure} {row.cost:g}", common=False, place=1),
    *settings("protocol", "dataset", "scenario", "dose", "distractors"),
    Column("knowledge", lambda row: row.knowledge, place=4),
    *settings("defense", "surrogate"),
    *further_settings(OF_A_DEFENSE),
    Column("figure", lambda row: FIGURES[row.figure].title, place=5),
    Column(f"rate [{CONFIDENT}]", _rate, place=2),
    Column("between", lambda row: f"{row.below} and {row.above}" if row.below else None, place=3),
    Column("measured", lambda row: f"{row.least:.3f} to {row.most:.3f}", common=False, place=6),
    Column("budgets", lambda row: row.points),
    Column("panel", lambda row: f"{row.attackers} of {row.panel}", place=7),
    Column("users", lambda row: row.users),
)

VIEW = View(KIND, COLUMNS, cost_rows, of_users=True, of_photos=True, notes=_notes)
