"""Records -> what defenses come to where they change photos equally.

A defense that was run under several budgets has a point for each: how much photos changed, and the rate. A
rate at a cost in between is interpolated between the two points around it. Nothing is said of a cost outside
of what was measured.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench.board.everywhere import everywhere
from bench.board.further import OF_A_DEFENSE, extended
from bench.board.panel import Standing, standings
from bench.board.tracks import but_for, defense
from bench.board.user_tables import Users
from bench.records.record import CellRecord, Metric

COSTS = (("SSIM", 0.99), ("SSIM", 0.97), ("SSIM", 0.95), ("DSSIM", 0.004), ("DSSIM", 0.012), ("DSSIM", 0.017))
"""The costs that are asked for: measure and mean over the published photos, of the face."""


@dataclass(frozen=True, slots=True)
class CostRow:
    """A defense under one threat model, at one cost.

    Attributes:
        measure: `SSIM` or `DSSIM`.
        cost: The mean of the measure over the published photos, of the face.
        protocol: Of its records.
        surrogate: Names of the encoders that the defense optimised against.
        figure: `cfr`, `cfr_link`, `psr1` or `protection_rate`.
        rate: CFR-chosen or PSR-chosen, or else the largest rate, at that cost; None outside of what was
            measured. Its interval is as wide as if both points erred together, which is wide enough.
        weak: Whether the attack of either point finds too few people on clean photos: others may do more.
        below: The budget of the point that changes photos less; empty outside.
        above: The budget of the point that changes them more; empty outside.
        least: The smallest cost that was measured, in the measure.
        most: The largest.
        points: How many budgets were measured.
        attackers: How many conditions have a result, of those that all budgets met.
        panel: How many conditions the track has.
        users: How many there are.
    """

    measure: str
    cost: float
    protocol: str
    dataset: str
    scenario: str
    dose: float
    distractors: int
    knowledge: str
    defense: str
    surrogate: tuple[str, ...]
    figure: str
    rate: Metric | None
    weak: bool
    below: str
    above: str
    least: float
    most: float
    points: int
    attackers: int
    panel: int
    users: int | None


KIND = extended(CostRow, OF_A_DEFENSE)
"""What the rows are."""


@dataclass(frozen=True, slots=True)
class _Point:
    """One budget: the mean DSSIM of faces, the rate, and the row of the panel."""

    dssim: float
    rate: Metric
    standing: Standing


def cost_rows(records: Iterable[CellRecord], users: Users) -> list[CostRow]:
    """All rows: cost by cost, who protects best on top.

    Args:
        records: Of any runs. Of the attacks on a defense, those that all of its budgets met count.
        users: Their users.
    """
    rows = []
    for whole in _groups(standing for track in standings(records, users) for standing in track):
        for compared in _groups(_again(whole, users)):
            for points in _series(compared):
                rows += [_row(points, measure, cost) for measure, cost in COSTS]
    return sorted(rows, key=_order)


def _again(whole: Sequence[Standing], users: Users) -> list[Standing]:
    kept = everywhere(whole, lambda row: row.budget)
    return [standing for track in standings(kept, users) for standing in track]


def _groups(rows: Iterable[Standing]) -> list[list[Standing]]:
    """Rows that differ in budget, knowledge and defense only."""
    groups: dict[tuple[str, str], list[Standing]] = defaultdict(list)
    for standing in rows:
        groups[standing.row.figure, but_for(standing.first, "knowledge", "budget")].append(standing)
    return list(groups.values())


def _series(rows: Sequence[Standing]) -> list[list[_Point]]:
    """The points of each defense that changes photos, under one threat model, the smallest change first."""
    series: dict[tuple[str, str], list[_Point]] = defaultdict(list)
    for standing in rows:
        dssim = _dssim(standing.first)
        if standing.rate is not None and standing.rate.value is not None and dssim is not None:
            point = _Point(dssim, standing.rate, standing)
            series[defense(standing.first), standing.row.knowledge].append(point)
    by_cost = (sorted(points, key=lambda point: point.dssim) for points in series.values())
    return [points for points in by_cost if points[-1].dssim > 0]


def _dssim(record: CellRecord) -> float | None:
    """The mean DSSIM of the published faces; of whole photos where no face was measured."""
    for region in ("face", "photo"):
        mean = record.perceptual.get(region, {}).get("dssim", {}).get("mean")
        if mean is not None:
            return mean
    return None


def _row(points: Sequence[_Point], measure: str, cost: float) -> CostRow:
    wanted = cost if measure == "DSSIM" else (1 - cost) / 2
    around = next(((a, b) for a, b in pairwise(points) if a.dssim <= wanted <= b.dssim), None)
    head = points[0].standing.row
    least, most = (points[i].dssim if measure == "DSSIM" else 1 - 2 * points[i].dssim for i in (0, -1))
    return KIND(
        measure=measure,
        cost=cost,
        protocol=head.protocol,
        dataset=head.dataset,
        scenario=head.scenario,
        dose=head.dose,
        distractors=head.distractors,
        knowledge=head.knowledge,
        defense=head.defense,
        surrogate=head.surrogate,
        figure=head.figure,
        rate=None if around is None else _between(*around, wanted),
        weak=around is not None and any(_weak(point.standing) for point in around),
        below="" if around is None else around[0].standing.row.budget,
        above="" if around is None else around[1].standing.row.budget,
        least=least,
        most=most,
        points=len(points),
        attackers=min(point.standing.row.attackers or 0 for point in points),
        panel=max(_panel(point.standing) for point in points),
        users=head.users,
        **{axis.name: getattr(head, axis.name) for axis in OF_A_DEFENSE},
    )


def _weak(standing: Standing) -> bool:
    """Whether the attack that a row is known by finds too few people on clean photos."""
    row = standing.row
    return row.strongest_weak if row.chosen is None else row.chosen.weak


def _panel(standing: Standing) -> int:
    return (standing.row.attackers or 0) + len(standing.row.missing)


def _between(less: _Point, more: _Point, wanted: float) -> Metric:
    """The rate between two points, by the place of the cost between theirs."""
    width = more.dssim - less.dssim
    share = (wanted - less.dssim) / width if width else 0.0

    def mixed(a: float | None, b: float | None) -> float | None:
        return None if a is None or b is None else (1 - share) * a + share * b

    a, b = less.rate, more.rate
    return a.model_copy(
        update={
            "value": mixed(a.value, b.value),
            "low": mixed(a.low, b.low),
            "high": mixed(a.high, b.high),
        }
    )


def _order(row: CostRow) -> tuple[object, ...]:
    harm = 0.0 if row.rate is None or row.rate.value is None else row.rate.value
    harm = harm if row.rate is None or row.rate.better == "lower" else -harm
    place = row.protocol, row.dataset, row.scenario, row.dose, row.distractors, row.figure, row.knowledge
    asked = [f"{measure} {cost}" for measure, cost in COSTS].index(f"{row.measure} {row.cost}")
    return *place, asked, row.rate is None, harm, row.defense, row.surrogate
