"""Rows of the leaderboard as evaluations: a defense under one threat model, and every score that it has."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bench.board.figures import FIGURES
from bench.board.further import OF_A_DEFENSE
from bench.board.leaders import UNINFORMED, LeaderRow, group_of, leader_rows, rows_of, standings_of_rows
from bench.board.panel import Standing
from bench.exports.source import Source
from bench.plan.scenarios import PROTOCOL
from bench.records.record import CellRecord, Metric
from bench.site.names import slug
from bench.types import Flag


@dataclass(frozen=True, slots=True)
class Kind:
    """A figure of the leaderboard.

    Attributes:
        field: the field of a row that has it.
        id: what programs call it.
        title: how people call it.
        lower: whether a lower value protects better.
        about: what it is.
    """

    field: str
    id: str
    title: str
    lower: bool
    about: str


KINDS = (
    Kind(
        "chosen",
        "cfr_chosen",
        "CFR-chosen",
        lower=True,
        about="Share of users whom the attack clusters that the attacker chose on its own cloaks",
    ),
    Kind(
        "worst",
        "cfr_max",
        "CFR-max",
        lower=True,
        about="Share of users whom the strongest attack of the panel clusters",
    ),
    Kind(
        "any",
        "cfr_any",
        "CFR-any",
        lower=True,
        about="Share of users whom any attack of the panel clusters",
    ),
    Kind(
        "link_max",
        "cfr_link_max",
        "CFR-link-max",
        lower=True,
        about="Share of users whom the strongest attack clusters with a clean photo that has their name",
    ),
    Kind(
        "psr_min",
        "psr1_min",
        "PSR@1-min",
        lower=False,
        about="Least share of cloaked probes that are not named among clean photos",
    ),
    Kind(
        "protection_min",
        "protection_rate_min",
        "protection-rate-min",
        lower=False,
        about="Least share of clean probes that are not named by who learned from cloaks",
    ),
)
"""The figures that are exported, the one that ranks first."""


@dataclass(frozen=True, slots=True)
class Score:
    """One figure that has a value.

    Attributes:
        id: what programs call it.
        title: how people call it.
        lower: whether a lower value protects better.
        about: what it is.
        value: the figure.
        metric: the figure with its interval and the number of users.
        details: what else is known: the attack in words, flags, of a cell its digest; none is empty.
    """

    id: str
    title: str
    lower: bool
    about: str
    value: float
    metric: Metric
    details: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A defense under one threat model.

    Attributes:
        row: its row of the leaderboard.
        of_row: the figures of the row.
        of_cells: the main figures of its cells.
        cells: the cells that have a result.
    """

    row: LeaderRow
    of_row: tuple[Score, ...]
    of_cells: tuple[Score, ...]
    cells: tuple[CellRecord, ...]

    @property
    def track(self) -> dict[str, str]:
        """What the rows of one track have in common: name -> value, without what is as by default."""
        row = self.row
        usual = {"dose": 1, "distractors": 0, "protocol": PROTOCOL}
        usual |= {axis.name: axis.before for axis in OF_A_DEFENSE}
        more = {name: getattr(row, name) for name in usual}
        said = {name: str(value) for name, value in more.items() if usual[name] != value}
        return {"dataset": row.dataset, "knowledge": row.knowledge, "budget": row.budget, **said}

    @property
    def name(self) -> str:
        """The track as a part of a file's name."""
        dataset, knowledge, budget, *more = self.track.values()
        return slug("-".join((dataset, knowledge, budget.replace(":", "-"), *more)))


def boarded(source: Source) -> list[Evaluation]:
    """Every row of the leaderboard, the references in every track; without cells."""
    return [Evaluation(row, tuple(_of_row(row)), (), ()) for row in leader_rows(source.records, source.users)]


def evaluations(source: Source) -> list[Evaluation]:
    """Every defense under every threat model with its cells, in the order of the leaderboard.

    A reference is there once, with the knowledge of its cells. Figures that are not defined are left out, and
    so are cells without a result and cells of oracles. Each cell is in one evaluation.
    """
    groups = standings_of_rows(source.records, source.users)
    rows: list[LeaderRow] = []
    for row in rows_of(groups):
        own = replace(row, knowledge=UNINFORMED) if row.reference else row
        if own not in rows:
            rows.append(own)
    return [_evaluation(row, _cells(groups.pop(group_of(row), ()))) for row in rows]


def _cells(figures: Iterable[Standing]) -> tuple[CellRecord, ...]:
    """The cells with a result, each once."""
    every = (record for one in figures for cells in one.cells.values() for record in cells)
    return tuple({record.cell: record for record in every if record.status == "ok"}.values())


def _evaluation(row: LeaderRow, cells: tuple[CellRecord, ...]) -> Evaluation:
    of_cells = [score for cell in cells for score in _of_cell(cell)]
    return Evaluation(row, tuple(_of_row(row)), tuple(of_cells), cells)


def _of_row(row: LeaderRow) -> Iterator[Score]:
    broken = "chosen" if row.chosen else "worst"
    weak = {"chosen": row.chosen_weak, "worst": row.worst_weak}
    for kind in KINDS:
        metric: Metric | None = getattr(row, kind.field)
        if metric is not None and metric.value is not None:
            attack = row.broken_by if kind.field == broken else None
            bound = "at least: the attacker is weak, and others would do more" if weak.get(kind.field) else ""
            details = {"attack": attack or "", "bound": bound, "flags": _flags(row.flags)}
            yield Score(kind.id, kind.title, kind.lower, kind.about, metric.value, metric, _said(details))


def _of_cell(cell: CellRecord) -> Iterator[Score]:
    details = {
        "cell": cell.cell,
        "attacker": cell.attacker.name,
        "encoder": cell.encoder.name,
        "adaptation": cell.adaptation.name,
        "level": cell.level,
        "channel": cell.channel,
        "scenario": cell.scenario.name,
        "seed": str(cell.seed),
        "draw": str(cell.draw),
        "defense_parameters": json.dumps(cell.defense.parameters, sort_keys=True),
        "flags": _flags(cell.flags),
    }
    for name, figure in FIGURES.items():
        metric = cell.metrics.get(name)
        if metric is not None and metric.value is not None:
            about = f"{figure.title} of one attack"
            yield Score(name, figure.title, figure.clusters, about, metric.value, metric, _said(details))


def _flags(flags: Sequence[Flag]) -> str:
    return "; ".join(map(str, flags))


def _said(details: Mapping[str, str]) -> dict[str, str]:
    return {name: words for name, words in details.items() if words}
