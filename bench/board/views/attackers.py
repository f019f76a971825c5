"""`attackers`: a row is an attacker by one figure, and says how often it was the strongest."""

from __future__ import annotations

from bench.board.attackers import AttackerRow, attacker_rows
from bench.board.figures import FIGURES
from bench.board.table import Column, View

COLUMNS: tuple[Column[AttackerRow], ...] = (
    Column("attacker", lambda row: row.attacker),
    Column("figure", lambda row: FIGURES[row.figure].title),
    Column("cells", lambda row: row.cells),
    Column("strongest", lambda row: row.strongest),
    Column("alone", lambda row: row.alone),
    Column("clean", lambda row: row.clean),
    Column("flagged", lambda row: row.flagged or None),
    Column("seconds", lambda row: row.seconds),
)

VIEW = View(AttackerRow, COLUMNS, lambda records, users: attacker_rows(records), of_users=False)
