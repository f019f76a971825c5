"""`attackers`: a row is an attacker by one figure, and says how often it was the strongest."""

from __future__ import annotations

from bench.board.attackers import AttackerRow, attacker_rows
from bench.board.figures import FIGURES
from bench.board.table import Column, View

COLUMNS: tuple[Column[AttackerRow], ...] = (
    Column("attacker", lambda row: row.attacker, place=1),
    Column("figure", lambda row: FIGURES[row.figure].title, place=2),
    Column("cells", lambda row: row.cells, place=4),
    Column("strongest", lambda row: row.strongest, place=3),
    Column("alone", lambda row: row.alone, place=5),
    Column("clean", lambda row: row.clean, place=6),
    Column("flagged", lambda row: row.flagged or None, place=7),
    Column("seconds", lambda row: row.seconds, place=8),
)

VIEW = View(AttackerRow, COLUMNS, lambda records, users: attacker_rows(records), of_users=False)
