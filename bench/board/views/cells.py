"""`cells`: a row is a cell.

CFR, CFR-link and TAR: lower is better for the defense. PSR and protection rate: higher is. `≥` and `≤` stand
at the rate of a weak attacker: stronger ones may do more.
"""

from __future__ import annotations

from bench.board.cells import KIND, CellRow, cell_rows
from bench.board.table import CONFIDENT, Column, View
from bench.board.values import OneSided, Range
from bench.board.views._settings import further_settings, settings
from bench.records.record import Metric
from bench.types import FlagCode

_BRIEF = {
    FlagCode.WEAK_ATTACKER: "weak attacker: no evidence of protection",
    FlagCode.OUT_OF_BUDGET: "out of budget",
}
"""Flags whose verdict is enough here; the record says why."""


def _found(row: CellRow) -> Metric | OneSided | None:
    return _one_sided(row, row.cfr, least=True)


def _named(row: CellRow) -> Metric | OneSided | None:
    return _one_sided(row, row.psr1, least=False)


def _learned(row: CellRow) -> Metric | OneSided | None:
    return _one_sided(row, row.protection_rate, least=False)


def _one_sided(row: CellRow, rate: Metric | None, *, least: bool) -> Metric | OneSided | None:
    """A weak attacker's rate: a stronger one would find or name as many, or more."""
    weak = any(flag.code is FlagCode.WEAK_ATTACKER for flag in row.flags)
    return OneSided(rate, least) if weak and rate is not None else rate


def _value(metric: Metric | None) -> float | None:
    return None if metric is None else metric.value


def _bounds(row: CellRow) -> Range | None:
    """What photos that are not ok could have done to the row's main figure, CFR or PSR@1."""
    main = row.cfr or row.psr1
    return None if main is None or main.bounds is None else Range(*main.bounds)


def _flags(row: CellRow) -> str:
    words = [_BRIEF.get(flag.code, str(flag)) for flag in row.flags]
    words += [f"{row.status}: {row.error}"] if row.status != "ok" else []
    return "; ".join(dict.fromkeys(words))


def _knowledge(row: CellRow) -> str | None:
    return row.knowledge if row.knowledge != "none" else None


COLUMNS: tuple[Column[CellRow], ...] = (
    *settings("protocol", "dataset", "scenario", "attacker", "level", "encoder", "detector", "adaptation"),
    *settings("dose", "distractors", "draw", "defense", "surrogate"),
    Column("knowledge", _knowledge),
    *settings("budget", "channel"),
    *further_settings(),
    Column(f"CFR [{CONFIDENT}]", _found, place=2),
    Column("strict", lambda row: _value(row.cfr_strict or row.cfr_link_strict)),
    Column("CFR-link", lambda row: _value(row.cfr_link), place=6),
    Column("clean CFR", lambda row: _value(row.cfr_clean), place=7),
    Column("encoder AUC", lambda row: _value(row.encoder_auc), ".3f"),
    Column(f"PSR@1 [{CONFIDENT}]", _named, place=2),
    Column(f"protection rate [{CONFIDENT}]", _learned, place=2),
    Column("TAR@FAR 1e-3", lambda row: _value(row.tar_far_1e3)),
    Column("SSIM", lambda row: row.ssim, ".3f"),
    Column("contamination", lambda row: row.contamination),
    Column("not ok", lambda row: row.not_ok or None, place=8),
    Column("bounds", _bounds),
    Column("flags", _flags, common=False, place=5),
)

VIEW = View(KIND, COLUMNS, lambda records, users: cell_rows(records), of_users=False)
