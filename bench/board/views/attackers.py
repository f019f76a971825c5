"""`attackers`: a row is an attacker by one figure, and says how often it was the strongest, and chosen."""

from __future__ import annotations

from collections.abc import Sequence

from bench.board.attackers import AttackerRow, attacker_rows
from bench.board.figures import FIGURES
from bench.board.table import Column, View


def _chosen(row: AttackerRow) -> str | None:
    return None if row.chosen is None else f"{row.chosen} of {row.choices}"


def _notes(rows: Sequence[AttackerRow]) -> list[str]:
    """Who never wins anywhere."""
    winners = {row.attacker for row in rows if row.strongest or row.chosen}
    never = list(dict.fromkeys(row.attacker for row in rows if row.attacker not in winners))
    return [f"never the strongest and never chosen, by any figure: {', '.join(never)}"] if never else []


COLUMNS: tuple[Column[AttackerRow], ...] = (
    Column("attacker", lambda row: row.attacker, place=1),
    Column("figure", lambda row: FIGURES[row.figure].title, place=2),
    Column("cells", lambda row: row.cells, place=4),
    Column("strongest", lambda row: row.strongest, place=3),
    Column("alone", lambda row: row.alone, place=5),
    Column("chosen", _chosen, place=6),
    Column("clean", lambda row: row.clean, place=7),
    Column("flagged", lambda row: row.flagged or None, place=8),
    Column("seconds", lambda row: row.seconds, place=9),
)

VIEW = View(AttackerRow, COLUMNS, lambda records, users: attacker_rows(records), of_users=False, notes=_notes)
