"""Records -> what a whole panel of attackers does to each defense: the largest rate counts, never a mean.

A row is a defense under one threat model, a condition is one attacker with its encoder, channel, level and
adaptation. Rows are compared within a track: the same users, scenario, budget and knowledge, and the same
conditions. A condition that a row lacks, or that failed, is named, and the row is not ranked; nor is one
over its budget, or one that only attackers met who find too few people on clean photos.

Rows are ranked as if each user's photos that are not `ok` had gone worst for this user: who blinds the
detector protects nobody that the board would know of.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.board.coverage import companies, judged_by
from bench.board.figures import FIGURES, contaminated, not_ok
from bench.board.further import OF_A_DEFENSE, extended, further
from bench.board.tracks import conditions, defense, flagged, oracle, tracks, weak
from bench.board.user_tables import Users
from bench.records.record import CellRecord, Metric
from bench.types import Flag, FlagCode, Floats
from bench.uncertainty.paired import Rank, rank_rows
from bench.uncertainty.panel import Panel, cfr_panel, psr_panel
from bench.uncertainty.power import smallest_detectable_difference


@dataclass(frozen=True, slots=True)
class PanelRow:
    """A defense in one track.

    Attributes:
        surrogate: names of the encoders that the defense optimised against.
        figure: `cfr`, `cfr_link`, `psr1` or `protection_rate`.
        worst: CFR-max, where lower protects better, or PSR-min, where higher does; `n` are users. None where
            not one attacker has a result, and so are the fields up to `detectable`.
        strongest: the condition that it is of; the first of several.
        any: CFR-any, the share of users who are clustered by any attacker; None for identification, too.
        attackers: how many conditions have a result.
        users: how many there are.
        draws: over how many draws of background and seed.
        bound: `worst`, had the photos that are not ok gone worst for their users; rows are ranked by it.
        not_ok: how many photos are not ok, in the cell that has most of them.
        contamination: the largest share, over the cells, of other people who are harder to sort because of
            the cloaks; None where no cell has it.
        detectable: the smallest difference from a rate of one half that so many users and draws would show
            when two defenses are compared on them (`bench.uncertainty.power`); None, too, where they would
            show none.
        rank_first: the best rank that the row can claim in its track; None where it is not ranked.
        rank_last: the worst; another than the best where noise cannot tell the row from others.
        missing: conditions without a complete result.
        flags: why its numbers have to be read with care.
    """

    dataset: str
    scenario: str
    dose: float
    distractors: int
    budget: str
    knowledge: str
    defense: str
    surrogate: tuple[str, ...]
    figure: str
    worst: Metric | None
    strongest: str | None
    any: Metric | None
    attackers: int | None
    users: int | None
    draws: int | None
    bound: float | None
    not_ok: int
    contamination: float | None
    detectable: float | None
    rank_first: int | None
    rank_last: int | None
    missing: tuple[str, ...]
    flags: tuple[Flag, ...]


KIND = extended(PanelRow, OF_A_DEFENSE)
"""What the rows are."""


@dataclass(frozen=True, slots=True)
class _Met:
    """What a row's cells come to: condition -> [draw, user], NaN for what failed; and the panel of them.

    `at_worst` is the same for photos that are not ok, gone worst for their users.
    """

    outcomes: Mapping[str, Floats]
    at_worst: Mapping[str, Floats]
    panel: Panel | None

    def missing(self, named: Sequence[str]) -> tuple[str, ...]:
        """Those of all conditions that have no complete result."""
        if self.panel is not None:
            return self.panel.missing
        return tuple(c for c in named if c not in self.outcomes or not _complete(self.outcomes[c]))


def panel_rows(records: Iterable[CellRecord], users: Users) -> list[PanelRow]:
    """All rows, track by track.

    Oracles are shown on the board and never here: their thresholds or numbers of people are not to be had.

    Args:
        records: of any runs.
        users: their users.
    """
    cells = [r for r in records if r.status != "skipped" and not oracle(r)]
    places = tracks(cells)
    company = companies(cells, places)
    compared: dict[tuple[str, ...], dict[str, list[CellRecord]]] = defaultdict(lambda: defaultdict(list))
    for record in cells:
        place, row = places[record.cell], defense(record)
        for figure in judged_by(record):
            compared[figure, place, *company[place, row]][row].append(record)
    return [
        row for (figure, *_), of_defense in compared.items() for row in _ranked(figure, of_defense, users)
    ]


def _ranked(figure: str, rows: Mapping[str, Sequence[CellRecord]], users: Users) -> list[PanelRow]:
    named = conditions(record for cells in rows.values() for record in cells)
    columns = list(dict.fromkeys(named.values()))
    people = _people(rows, users)
    met: dict[str, _Met] = {}
    for name, cells in rows.items():
        outcomes = _outcomes(figure, cells, named, people, users)
        at_worst = _outcomes(figure, cells, named, people, users, at_worst=True)
        panel = None
        if any(map(_complete, outcomes.values())):
            panel = (cfr_panel if FIGURES[figure].clusters else psr_panel)(outcomes, columns)
        met[name] = _Met(outcomes, at_worst, panel)
    rankable = [name for name, row in met.items() if row.panel and row.panel.ranked and _evidence(rows[name])]
    ranks: dict[str, Rank] = {}
    if len(rankable) > 1 and len(people) > 1:
        stacked = {name: np.stack([met[name].at_worst[c] for c in columns]) for name in rankable}
        if not FIGURES[figure].clusters:
            stacked = {name: 1 - protected for name, protected in stacked.items()}
        ranks = rank_rows(stacked).ranks
    return [
        _row(figure, cells, met[name], met[name].missing(columns), ranks.get(name))
        for name, cells in rows.items()
    ]


def _complete(outcomes: Floats) -> bool:
    """Whether there are users, and each has an outcome in each draw."""
    return outcomes.size > 0 and bool(np.isfinite(outcomes).all())


def _people(rows: Mapping[str, Sequence[CellRecord]], users: Users) -> list[str]:
    cells = [record.cell for cells in rows.values() for record in cells]
    return sorted({user for cell in cells if cell in users for user in users[cell].users})


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
    draws = {draw: i for i, draw in enumerate(sorted({record.draw for record in cells}))}
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


def _over(record: CellRecord) -> bool:
    return flagged(record, FlagCode.OUT_OF_BUDGET)


def _evidence(cells: Sequence[CellRecord]) -> bool:
    """Whether a low rate would say something of the defense: the protocol lets no other row hold a top."""
    return not all(map(weak, cells)) and not any(map(_over, cells))


def _flags(cells: Sequence[CellRecord]) -> tuple[Flag, ...]:
    done = [record for record in cells if record.status == "ok"]
    counts = {FlagCode.WEAK_ATTACKER: sum(map(weak, done)), FlagCode.OUT_OF_BUDGET: sum(map(_over, done))}
    flags = [Flag(code, f"{count} of {len(done)} cells") for code, count in counts.items() if count]
    if len({record.attacker.name for record in cells}) == 1:
        flags.append(Flag(FlagCode.NARROW_PANEL, f"{cells[0].attacker.name} is the only attacker"))
    return tuple(flags)


def _row(
    figure: str, cells: Sequence[CellRecord], met: _Met, missing: tuple[str, ...], rank: Rank | None
) -> PanelRow:
    record, panel = cells[0], met.panel
    return KIND(
        dataset=record.dataset.name,
        scenario=record.scenario.name,
        dose=record.dose,
        distractors=record.distractors,
        budget=record.budget,
        knowledge=record.knowledge,
        defense=record.defense.name,
        surrogate=tuple(s.name for s in record.surrogate),
        figure=figure,
        worst=None if panel is None else Metric.of(panel.worst),
        strongest=None if panel is None else panel.strongest,
        any=None if panel is None or panel.any is None else Metric.of(panel.any),
        attackers=None if panel is None else len(panel.by_attacker),
        users=None if panel is None else panel.worst.n,
        draws=None if panel is None else panel.draws,
        bound=None if panel is None else _bound(figure, met),
        not_ok=max(map(not_ok, cells)),
        contamination=max(
            (value for cell in cells if (value := contaminated(cell)) is not None), default=None
        ),
        detectable=None if panel is None else _detectable(panel),
        rank_first=None if rank is None else rank.first,
        rank_last=None if rank is None else rank.last,
        missing=missing,
        flags=_flags(cells),
        **further(record, OF_A_DEFENSE),
    )


def _bound(figure: str, met: _Met) -> float:
    """The strongest attacker's rate, had the photos that are not ok gone worst."""
    rates = [float(of_one.mean()) for of_one in met.at_worst.values() if _complete(of_one)]
    return max(rates) if FIGURES[figure].clusters else min(rates)


def _detectable(panel: Panel) -> float | None:
    least = smallest_detectable_difference(panel.worst.n, panel.draws)
    return None if math.isnan(least) else least
