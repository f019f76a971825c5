"""Records -> what a whole panel of attackers does to each defense: the largest rate counts, never a mean.

A row is a defense under one threat model, a condition is one attacker with its encoder, channel, level and
adaptation. Rows are compared within a track: the same users, scenario, budget and knowledge, and the same
conditions. A condition that a row lacks, or that failed, is named, and the row is not ranked; nor is one
over its budget, or one that only attackers met who find too few people on clean photos.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.board.tracks import FIGURES, conditions, defense, encoder, flagged, oracle, tracks, weak
from bench.board.user_tables import Users
from bench.records.record import CellRecord
from bench.types import FlagCode, Score
from bench.uncertainty.paired import rank_rows
from bench.uncertainty.panel import Panel, cfr_panel, psr_panel
from bench.uncertainty.power import smallest_detectable_difference

COLUMNS = (
    "data set",
    "scenario",
    "dose",
    "distractors",
    "budget",
    "knowledge",
    "defense",
    "surrogate",
    "figure",
    "worst [95 %]",
    "strongest attacker",
    "any [95 %]",
    "attackers",
    "users",
    "draws",
    "detectable",
    "rank",
    "missing",
    "flags",
)
"""`worst` is CFR-max (lower protects better) or PSR-min (higher does), `any` is CFR-any.

`detectable` is the smallest difference from a rate of one half that so many users and draws would show, four
times of five, when two defenses are compared on them (see `bench.uncertainty.power`).
"""

_KINDS = {
    "cfr": "formed",
    "cfr_link": "formed_linked",
    "psr1": "psr1",
    "protection_rate": "protection_rate",
}
"""Main figure -> column of the users' table."""


@dataclass(frozen=True)
class Row:
    """A defense in one track.

    Attributes:
        record: any of its cells.
        figure: `cfr`, `cfr_link`, `psr1` or `protection_rate`.
        panel: what the attackers did; None where not one of them has a result.
        missing: conditions without a result.
        rank: among the rows of its track; empty where it is not ranked.
        flags: why its numbers are to be read with care.
    """

    record: CellRecord
    figure: str
    panel: Panel | None
    missing: tuple[str, ...]
    rank: str
    flags: tuple[str, ...] = ()


def panels(records: Iterable[CellRecord], users: Users) -> list[Row]:
    """All rows, track by track.

    Oracles are shown on the board and never here: their thresholds or numbers of people are not to be had.

    Args:
        records: of any runs.
        users: their per-user tables.
    """
    cells = [r for r in records if r.status != "skipped" and not oracle(r)]
    places = tracks(cells)
    met: dict[tuple[str, str], set[str]] = defaultdict(set)
    for record in cells:
        met[places[record.cell], defense(record)] |= {encoder(record), f"draw {record.draw}"}
    found: dict[tuple[str, ...], dict[str, list[CellRecord]]] = defaultdict(lambda: defaultdict(list))
    for record in cells:
        company = sorted(met[places[record.cell], defense(record)])
        for figure in _figures(record, cells):
            found[figure, places[record.cell], *company][defense(record)].append(record)
    out: list[Row] = []
    for (figure, *_), rows in found.items():
        out += _ranked(figure, rows, users)
    return out


def to_rows(found: Sequence[Row]) -> list[dict[str, str]]:
    """One row of texts each; see `COLUMNS`."""
    return [_texts(row) for row in found]


def _ranked(figure: str, rows: Mapping[str, Sequence[CellRecord]], users: Users) -> list[Row]:
    named = conditions(record for cells in rows.values() for record in cells)
    columns = list(dict.fromkeys(named.values()))
    people = _people(rows, users)
    made: dict[str, tuple[Panel | None, dict[str, npt.NDArray[np.float64]]]] = {}
    for name, cells in rows.items():
        outcomes = _outcomes(figure, cells, named, people, users)
        panel = None
        if any(np.isfinite(table).all() for table in outcomes.values()):
            over = cfr_panel if figure.startswith("cfr") else psr_panel
            panel = over(outcomes, columns)
        made[name] = panel, outcomes
    told = {name: _flags(cells) for name, cells in rows.items()}
    whole = {
        name: outcomes
        for name, (panel, outcomes) in made.items()
        if panel is not None and panel.ranked and _evidence(rows[name])
    }
    ranks: dict[str, str] = {}
    if len(whole) > 1 and len(people) > 1:
        stacked = {name: np.stack([outcomes[c] for c in columns]) for name, outcomes in whole.items()}
        if not figure.startswith("cfr"):
            stacked = {name: 1 - protected for name, protected in stacked.items()}
        ranks = {name: str(rank) for name, rank in rank_rows(stacked).ranks.items()}
    return [
        Row(cells[0], figure, made[name][0], _missing(made[name], columns), ranks.get(name, ""), told[name])
        for name, cells in rows.items()
    ]


def _outcomes(
    figure: str,
    cells: Sequence[CellRecord],
    named: Mapping[str, str],
    people: Sequence[str],
    users: Users,
) -> dict[str, npt.NDArray[np.float64]]:
    """Condition -> [draw, user]; NaN for what failed."""
    draws = 1 + max(record.draw for record in cells)
    place = {user: i for i, user in enumerate(people)}
    tables: dict[str, npt.NDArray[np.float64]] = {}
    for record in cells:
        table = tables.setdefault(named[record.cell], np.full((draws, len(people)), np.nan))
        columns = users.get(record.cell, {})
        if record.status == "ok" and _KINDS[figure] in columns:
            where = [place[str(user)] for user in columns["user"]]
            table[record.draw, where] = np.asarray(columns[_KINDS[figure]], np.float64)
    return tables


def _people(rows: Mapping[str, Sequence[CellRecord]], users: Users) -> list[str]:
    tables = (users.get(record.cell, {}) for cells in rows.values() for record in cells)
    return sorted({str(user) for table in tables for user in table.get("user", ())})


def _missing(
    made: tuple[Panel | None, Mapping[str, npt.NDArray[np.float64]]], conditions: Sequence[str]
) -> tuple[str, ...]:
    panel, outcomes = made
    if panel is not None:
        return panel.missing
    return tuple(c for c in conditions if c not in outcomes or not np.isfinite(outcomes[c]).all())


def _figures(record: CellRecord, cells: Sequence[CellRecord]) -> list[str]:
    """What a cell is judged by; a failed one by what its attacker gives elsewhere."""
    if record.status == "ok":
        return [figure for figure in _KINDS if figure in record.metrics]
    same = (r for r in cells if r.status == "ok" and r.attacker == record.attacker)
    return list(dict.fromkeys(f for r in same for f in _KINDS if f in r.metrics))


def _evidence(cells: Sequence[CellRecord]) -> bool:
    """Whether a low rate would say something of the defense: the protocol lets no other row hold a top."""
    return not all(map(weak, cells)) and not any(map(_over, cells))


def _over(record: CellRecord) -> bool:
    return flagged(record, FlagCode.OUT_OF_BUDGET)


def _flags(cells: Sequence[CellRecord]) -> tuple[str, ...]:
    done = [record for record in cells if record.status == "ok"]
    failing = sum(map(weak, done))
    out = [f"{failing} of {len(done)} cells: weak attacker"] if failing else []
    return (*out, "out of budget") if any(map(_over, done)) else tuple(out)


def _texts(row: Row) -> dict[str, str]:
    record, panel = row.record, row.panel
    return {
        "data set": record.dataset.name,
        "scenario": record.scenario.name,
        "dose": "" if record.dose == 1 else f"{record.dose:g}",
        "distractors": str(record.distractors) if record.distractors else "",
        "budget": record.budget,
        "knowledge": record.knowledge,
        "defense": record.defense.name,
        "surrogate": "+".join(s.name for s in record.surrogate),
        "figure": FIGURES[row.figure],
        "worst [95 %]": "" if panel is None else _interval(panel.worst),
        "strongest attacker": "" if panel is None else panel.strongest,
        "any [95 %]": "" if panel is None or panel.any is None else _interval(panel.any),
        "attackers": "" if panel is None else str(len(panel.by_attacker)),
        "users": "" if panel is None else str(panel.worst.n),
        "draws": "" if panel is None else str(panel.draws),
        "detectable": "" if panel is None else _detectable(panel),
        "rank": row.rank,
        "missing": "; ".join(row.missing),
        "flags": "; ".join(row.flags),
    }


def _detectable(panel: Panel) -> str:
    least = smallest_detectable_difference(panel.worst.n, panel.draws)
    return "none" if math.isnan(least) else f"{least:.2f}"


def _interval(score: Score) -> str:
    return f"{score.value:.2f} [{score.low:.2f}, {score.high:.2f}]"
