"""`leaders`: a row is a defense, and beside it stands all that decides between it and others.

`chosen`, `worst` and `any` are CFR-chosen, CFR-max and CFR-any (lower protects better), `link` is
CFR-link-max, and `named` is what PSR@1-min leaves of 1: the largest share of cloaked photos that an
identifier names. `learned` is the same share of clean photos, of an identifier that learned from cloaks. `≥`
stands at the rate of a weak attacker: stronger ones may do more. `ref` are references, which have no rank.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.board.further import OF_A_DEFENSE
from bench.board.leaders import KIND, LeaderRow, leader_rows, missing_references
from bench.board.table import CONFIDENT, Column, View
from bench.board.values import OneSided
from bench.board.views._settings import further_settings, settings
from bench.board.views.panel import flag_words, without_choice
from bench.records.record import Metric


def _rank(row: LeaderRow) -> str | int | None:
    if row.reference:
        return "ref"
    tied = row.rank_first != row.rank_last
    return f"{row.rank_first}-{row.rank_last}" if tied else row.rank_first


def _at_least(rate: Metric | None, *, weak: bool) -> Metric | OneSided | None:
    return OneSided(rate, least=True) if rate is not None and weak else rate


def _named(rate: Metric | None) -> Metric | None:
    """What a protection rate leaves of 1."""
    if rate is None or rate.value is None:
        return None
    low, high = (None if end is None else 1 - end for end in (rate.high, rate.low))
    return Metric(value=1 - rate.value, low=low, high=high, n=rate.n, better="lower")


def _notes(rows: Sequence[LeaderRow]) -> list[str]:
    ranked = [row for row in rows if row.worst is not None]
    return lacking(rows) + without_choice(sum(row.chosen is None for row in ranked), len(ranked))


def lacking(rows: Sequence[LeaderRow]) -> list[str]:
    """Which references a track lacks, and what to type for them."""
    notes = []
    for place, names in missing_references(rows).items():
        _, dataset, *_, knowledge = place
        asked = " ".join(f"--defense {name}" for name in names)
        notes.append(
            f"{dataset}, {knowledge}: no row of {', '.join(names)}, without which rates cannot be read. "
            f"Repeat the run with {asked}."
        )
    return notes


COLUMNS: tuple[Column[LeaderRow], ...] = (
    Column("rank", _rank, common=False, place=2),
    *settings("protocol", "dataset", "dose", "distractors", "budget"),
    Column("knowledge", lambda row: row.knowledge, place=4),
    *settings("defense", "surrogate"),
    *further_settings(OF_A_DEFENSE),
    Column(f"chosen [{CONFIDENT}]", lambda row: _at_least(row.chosen, weak=row.chosen_weak), place=3),
    Column(f"worst [{CONFIDENT}]", lambda row: _at_least(row.worst, weak=row.worst_weak), place=5),
    Column("any", lambda row: None if row.any is None else row.any.value, place=9),
    Column("link", lambda row: None if row.link_max is None else row.link_max.value, place=10),
    Column(f"named [{CONFIDENT}]", lambda row: _named(row.psr_min), place=8),
    Column("learned", lambda row: _only(_named(row.protection_min)), place=11),
    Column("broken by", lambda row: row.broken_by, common=False, place=12),
    Column("clean", lambda row: row.clean, place=13),
    Column("contamination", lambda row: row.contamination, place=14),
    Column("SSIM", lambda row: row.ssim, form=".3f", place=6),
    Column("s/photo", lambda row: row.seconds, place=15),
    Column("not ok", lambda row: row.not_ok or None, place=16),
    Column("panel", lambda row: f"{row.attackers} of {row.panel}", place=17),
    Column("users", lambda row: row.users, place=18),
    Column("draws", lambda row: row.draws),
    Column("flags", lambda row: "; ".join(map(flag_words, row.flags)), common=False, place=7),
)


def _only(rate: Metric | None) -> float | None:
    return None if rate is None else rate.value


VIEW = View(KIND, COLUMNS, leader_rows, of_users=True, of_photos=True, notes=_notes)
