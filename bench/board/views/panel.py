"""`panel`: a row is a defense, and the strongest of all attackers that it met counts.

`worst` is CFR-max (lower protects better) or PSR-min (higher does), `any` is CFR-any.
"""

from __future__ import annotations

from bench.board.figures import FIGURES
from bench.board.further import OF_A_DEFENSE
from bench.board.panel import KIND, PanelRow, panel_rows
from bench.board.table import CONFIDENT, Column, View
from bench.board.views._settings import further_settings, settings
from bench.types import Flag, FlagCode


def _detectable(row: PanelRow) -> str | float | None:
    """The word `none` says that so few users would show no difference at all."""
    return "none" if row.detectable is None and row.worst is not None else row.detectable


def _at_worst(row: PanelRow) -> float | None:
    """What rows are ranked by, where photos that are not ok could have changed it."""
    return row.bound if row.not_ok else None


def _rank(row: PanelRow) -> str | int | None:
    tied = row.rank_first != row.rank_last
    return f"{row.rank_first}-{row.rank_last}" if tied else row.rank_first


_WORDS = {FlagCode.OUT_OF_BUDGET: "out of budget", FlagCode.NARROW_PANEL: "no panel"}


def _words(flag: Flag) -> str:
    words = _WORDS.get(flag.code, "weak attacker")
    return words if flag.code is FlagCode.OUT_OF_BUDGET else f"{flag.reason}: {words}"


COLUMNS: tuple[Column[PanelRow], ...] = (
    *settings("dataset", "scenario", "dose", "distractors", "budget"),
    Column("knowledge", lambda row: row.knowledge, place=5),
    *settings("defense", "surrogate"),
    *further_settings(OF_A_DEFENSE),
    Column("figure", lambda row: FIGURES[row.figure].title, place=3),
    Column(f"worst [{CONFIDENT}]", lambda row: row.worst, place=2),
    Column("at worst", _at_worst, place=9),
    Column("not ok", lambda row: row.not_ok or None, place=10),
    Column("contamination", lambda row: row.contamination, place=11),
    Column("strongest attacker", lambda row: row.strongest, place=7),
    Column(f"any [{CONFIDENT}]", lambda row: row.any),
    Column("attackers", lambda row: row.attackers),
    Column("users", lambda row: row.users),
    Column("draws", lambda row: row.draws),
    Column("detectable", _detectable),
    Column("rank", _rank, place=4),
    Column("missing", lambda row: "; ".join(row.missing), place=8),
    Column("flags", lambda row: "; ".join(map(_words, row.flags)), common=False, place=6),
)

VIEW = View(KIND, COLUMNS, panel_rows, of_users=True, of_photos=True)
