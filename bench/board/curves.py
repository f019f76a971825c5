"""Records -> curves: how a rate changes along one axis, with its interval at every point."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from bench.board.curve_names import curve_names
from bench.board.figures import FIGURES
from bench.board.user_tables import Users, UserTable
from bench.errors import UserError, unknown_name
from bench.metrics.clustering import PROTOCOL, FormationTable, formed
from bench.plan.axes import NUMERIC
from bench.plan.rows import Axis as Option
from bench.records.columns import recorded
from bench.records.migrations import FIRST_PROTOCOL
from bench.records.record import CellRecord
from bench.uncertainty.intervals import wilson


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a curve.

    Attributes:
        x: place on the axis.
        value: the figure there, in [0, 1].
        low: lower end of its 95 % interval; None where there is none.
        high: the upper end.
        n: how many units the value is a mean over; None where the record does not say.
    """

    x: float
    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of one defense and attacker, by x.

    Attributes:
        name: what tells it from the other curves.
        figure: `cfr`, `cfr_link`, `psr1`, `protection_rate`, or `bcubed_f`; along `calibration`, of
            calibration people.
        points: in increasing order of x.
    """

    name: str
    figure: str
    points: tuple[Point, ...]


_Points: TypeAlias = Mapping[str, list[Point]]
"""Figure -> the points of one cell."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Something that a rate changes along.

    Attributes:
        label: what stands below a picture.
        points: what makes the points of a cell of its record and its users.
    """

    label: str
    points: Callable[[CellRecord, UserTable | None], _Points]


def curves(records: Iterable[CellRecord], users: Users, axis: str) -> list[Curve]:
    """All curves that records hold along an axis.

    Args:
        records: those that are not ok are left out.
        users: their users; needed for `coverage`.
        axis: one of `AXES`.

    Raises:
        UserError: for an unknown axis, and for records that have nothing along it.
    """
    if axis not in AXES:
        raise unknown_name("axis", axis, AXES, command="bench curve --help")
    cells = [record for record in records if record.status == "ok" and record.by is None]
    drawn: dict[tuple[str, str], dict[float, Point]] = defaultdict(dict)
    names = curve_names(cells, axis)
    for record in cells:
        for figure, points in AXES[axis].points(record, users.get(record.cell)).items():
            for point in points:
                drawn[names[record.cell], figure].setdefault(point.x, point)
    out = [
        Curve(name, figure, tuple(points[x] for x in sorted(points)))
        for (name, figure), points in drawn.items()
        if len(points) > 1
    ]
    if not out:
        raise UserError(
            f"these records have no two points along {axis!r}. A run with several values makes them, such as "
            "'bench run --distractors 0 --distractors 1000 …'."
        )
    return out


def _figures_at(x: float, record: CellRecord) -> _Points:
    """The main figures of a cell, at its own place on the axis."""
    return {
        name: [Point(x, metric.value, metric.low, metric.high, metric.n)]
        for name in FIGURES
        if (metric := record.metrics.get(name)) is not None and metric.value is not None
    }


def _along(row: Option) -> Callable[[CellRecord, UserTable | None], _Points]:
    """What makes the points of a cell along an option that is a number."""
    return lambda record, table: _figures_at(float(recorded(record, row)), record)


def _budget(record: CellRecord, table: UserTable | None) -> _Points:
    kind, _, number = record.budget.partition(":")
    return _figures_at(float(number), record) if kind == "linf" else {}


def _coverage(record: CellRecord, table: UserTable | None) -> _Points:
    """CFR and CFR-link for every coverage that could be asked for, support and purity as in the protocol.

    All clusters of a user count. A record that is too old to count labelled photos has no curve of CFR-link.
    """
    photos = None if table is None else table.photos
    if photos is None or not photos.clustered:
        return {}
    linked = "cfr_link" in record.metrics and "cluster_linked" in photos.columns
    formations = {"cfr": photos.formation()} | (
        {"cfr_link": photos.formation(linking=True)} if linked else {}
    )
    return {
        figure: [_at_coverage(of_all, step / 10) for step in range(1, 11)]
        for figure, of_all in formations.items()
    }


def _at_coverage(formation: FormationTable, least: float) -> Point:
    met = formed(formation, replace(PROTOCOL, coverage=least))
    hits, users = int(met.sum()), met.size
    return Point(least, hits / users, *wilson(hits, users), users)


def _calibration(record: CellRecord, table: UserTable | None) -> _Points:
    """What each candidate came to on calibration people; by its number where candidates are not numbers."""
    grid = record.calibrated.get("grid")
    numbers = grid if isinstance(grid, list) and all(type(place) in (int, float) for place in grid) else []
    places = numbers if len(numbers) == len(record.tried) else range(len(record.tried))
    rates = "bcubed_f" if record.protocol == FIRST_PROTOCOL else "cfr"
    figures = {rates: record.tried} | ({"bcubed_f": record.tried_crowd} if record.tried_crowd else {})
    return {
        name: [Point(float(x), tried) for x, tried in zip(places, values, strict=True)]
        for name, values in figures.items()
    }


AXES: Mapping[str, Axis] = {
    **{option: Axis(row.about, _along(row)) for option, row in NUMERIC.items()},
    "budget": Axis("L-infinity budget, of 255", _budget),
    "coverage": Axis("share of a user's photos that one cluster must hold to count", _coverage),
    "calibration": Axis("candidates that the attacker was tuned over, on calibration people", _calibration),
}
"""What `bench curve --axis` takes."""
