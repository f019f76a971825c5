"""`panel`: a row is a defense, and what attackers who choose their attack do to it.

`chosen` is CFR-chosen or PSR-chosen: the rate of the attack that was best on the attacker's own cloaks.
`worst` is CFR-max (lower protects better) or PSR-min (higher does), `any` is CFR-any. `≥` and `≤` stand at
the rate of a weak attacker: stronger ones may do more.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.board.chosen import TO_TYPE
from bench.board.figures import FIGURES
from bench.board.further import OF_A_DEFENSE
from bench.board.panel import KIND, PanelRow, panel_rows
from bench.board.table import CONFIDENT, Column, View
from bench.board.values import OneSided
from bench.board.views._settings import further_settings, settings
from bench.records.record import Metric
from bench.types import Flag, FlagCode


def _detectable(row: PanelRow) -> str | float | None:
    """The word `none` says that so few users would show no difference at all."""
    return "none" if row.detectable is None and row.worst is not None else row.detectable


def _at_worst(row: PanelRow) -> float | None:
    """What rows are ranked by, where photos that are not ok could have changed it."""
    if not row.not_ok:
        return None
    return row.bound if row.chosen is None else row.chosen.bound


def _chosen(row: PanelRow) -> Metric | OneSided | None:
    return None if row.chosen is None else _one_sided(row, row.chosen.rate, weak=row.chosen.weak)


def _chosen_attacker(row: PanelRow) -> str | None:
    if row.chosen is None:
        return None
    often = "" if row.chosen.times == row.draws else f" ({row.chosen.times} of {row.draws} draws)"
    return row.chosen.attacker + often


def _worst(row: PanelRow) -> Metric | OneSided | None:
    return None if row.worst is None else _one_sided(row, row.worst, weak=row.strongest_weak)


def _one_sided(row: PanelRow, rate: Metric, *, weak: bool) -> Metric | OneSided:
    return OneSided(rate, FIGURES[row.figure].clusters) if weak else rate


def without_choice(missing: int, rows: int) -> list[str]:
    """What to type for CFR-chosen where rows lack it."""
    if not missing:
        return []
    return [
        f"CFR-chosen (PSR-chosen) is missing in {missing} of {rows} rows: their records do not say how "
        f"attackers did on cloaks of their own. Repeat the runs with {TO_TYPE}. Rows without it are ranked "
        "by the worst rate, and never together with rows that have it."
    ]


def _notes(rows: Sequence[PanelRow]) -> list[str]:
    return without_choice(sum(row.chosen is None for row in rows), len(rows))


def _rank(row: PanelRow) -> str | int | None:
    tied = row.rank_first != row.rank_last
    return f"{row.rank_first}-{row.rank_last}" if tied else row.rank_first


_WORDS = {
    FlagCode.OUT_OF_BUDGET: "out of budget",
    FlagCode.NARROW_PANEL: "no panel",
    FlagCode.NO_CHOICE: "no CFR-chosen",
    FlagCode.FOREIGN_ENCODER: "foreign encoder",
}


def flag_words(flag: Flag) -> str:
    """A flag as a cell of a table has it."""
    words = _WORDS.get(flag.code, "weak attacker")
    return words if flag.code is FlagCode.OUT_OF_BUDGET else f"{flag.reason}: {words}"


COLUMNS: tuple[Column[PanelRow], ...] = (
    *settings("protocol", "dataset", "scenario", "dose", "distractors", "budget"),
    Column("knowledge", lambda row: row.knowledge, place=6),
    *settings("defense", "surrogate"),
    *further_settings(OF_A_DEFENSE),
    Column("figure", lambda row: FIGURES[row.figure].title, place=4),
    Column(f"chosen [{CONFIDENT}]", _chosen, place=2),
    Column("chosen attacker", _chosen_attacker, place=8),
    Column("clean", lambda row: None if row.chosen is None else row.chosen.clean, place=9),
    Column(f"worst [{CONFIDENT}]", _worst, place=5),
    Column("at worst", _at_worst, place=12),
    Column("not ok", lambda row: row.not_ok or None, place=13),
    Column("contamination", lambda row: row.contamination, place=14),
    Column("strongest attacker", lambda row: row.strongest, place=10),
    Column("largest", lambda row: row.largest),
    Column(f"any [{CONFIDENT}]", lambda row: row.any),
    Column("attackers", lambda row: row.attackers),
    Column("users", lambda row: row.users),
    Column("draws", lambda row: row.draws),
    Column("detectable", _detectable),
    Column("rank", _rank, place=3),
    Column("ranked by", lambda row: row.ranked_by),
    Column("missing", lambda row: "; ".join(row.missing), place=11),
    Column("flags", lambda row: "; ".join(map(flag_words, row.flags)), common=False, place=7),
)

VIEW = View(KIND, COLUMNS, panel_rows, of_users=True, of_photos=True, notes=_notes)
