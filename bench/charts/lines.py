"""`dose`, `sweep` and `distractors`, and the picture of `bench curve`: rates along an axis."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench.board.curve_table import PointRow, curve_table
from bench.board.curves import AXES, Curve
from bench.board.everywhere import everywhere
from bench.board.figures import FIGURES
from bench.board.panel import PanelRow, Standing
from bench.board.panel import standings as panel_standings
from bench.board.table import Table
from bench.board.tracks import but_for
from bench.board.user_tables import Users
from bench.charts.chart import Chart, Spec, rows_of
from bench.charts.naming import rate_title, row_names, setting
from bench.charts.style import RATE, dashed, marked
from bench.records.record import Metric

ALONG = {"dose": "dose", "sweep": "budget", "distractors": "distractors"}
"""Name of a chart -> the field of a panel's row that it goes along."""

_LABELS = {
    "dose": "share of each user's photos that are cloaked",
    "sweep": AXES["budget"].label,
    "distractors": "simulated strangers among the background",
}

_FEW = 8
"""Up to so many places on an axis are marked one by one."""

_MANY = 16
"""Beyond so many series, the legend has columns."""


@dataclass(frozen=True, slots=True)
class LineRow:
    """A point: a row of a panel.

    Attributes:
        series: what its defense is called.
        axis: what it goes along.
        x: its place there.
        knowledge: what the defense knew of the attacker's encoder.
        figure: of the rate.
        rate: what rows of the panel are known by.
        attacker: the condition that it is of.
        attackers: how many there were.
        cell: digest of a cell behind the rate.
    """

    series: str
    axis: str
    x: float
    knowledge: str
    figure: str
    rate: Metric
    attacker: str
    attackers: int | None
    cell: str


def panel_lines(name: str, tracks: Sequence[Sequence[Standing]], users: Users) -> list[Chart]:
    """A chart for each set of tracks that differ only along an axis, and in what defenses knew.

    A defense that met more attacks at one place than at another would look weaker there. So a line is that of
    the attacks that were run at all of its places.

    Args:
        name: one of `ALONG`.
        tracks: as `bench.board.panel.standings` makes them.
        users: of their cells.
    """
    axis = ALONG[name]
    charts = []
    for whole in _groups(tracks, axis):
        if len({_place(standing.row, axis) for standing in whole}) > 1:
            kept = everywhere(whole, partial(_place, axis=axis))
            for standings in _groups(panel_standings(kept, users), axis):
                rows = _rows(standings, axis)
                charts += [_chart(name, standings, rows)] if rows else []
    return charts


def _groups(tracks: Sequence[Sequence[Standing]], axis: str) -> list[list[Standing]]:
    groups: dict[tuple[str, str], list[Standing]] = defaultdict(list)
    for standing in (row for track in tracks for row in track):
        if standing.rate is not None and standing.rate.value is not None and _place(standing.row, axis):
            groups[standing.row.figure, but_for(standing.first, "knowledge", axis)].append(standing)
    return list(groups.values())


def _place(row: PanelRow, axis: str) -> tuple[float, ...]:
    """Where a row stands on an axis; nothing where it stands nowhere."""
    if axis == "budget":
        kind, _, number = row.budget.partition(":")
        return (float(number),) if kind == "linf" else ()
    place: float = getattr(row, axis)
    return (place,)


def _rows(standings: Sequence[Standing], axis: str) -> tuple[LineRow, ...]:
    """The points of all series that have at least two."""
    rows: dict[str, list[LineRow]] = defaultdict(list)
    for standing, name in zip(standings, row_names(standings), strict=True):
        rate, deciding = standing.rate, standing.deciding
        if rate is None or deciding is None:
            continue
        knowledge = standing.row.knowledge
        series = name if knowledge == "none" else f"{name}, {knowledge}"
        (x,) = _place(standing.row, axis)
        point = LineRow(
            series=series,
            axis=axis,
            x=x,
            knowledge=knowledge,
            figure=standing.row.figure,
            rate=rate,
            attacker=deciding,
            attackers=standing.row.attackers,
            cell=standing.cells[deciding][0].cell,
        )
        rows[series].append(point)
    lines = [points for points in rows.values() if len({point.x for point in points}) > 1]
    return tuple(point for points in lines for point in sorted(points, key=lambda point: point.x))


def _chart(name: str, standings: Sequence[Standing], rows: Sequence[LineRow]) -> Chart:
    values = [
        _point(row.series, row.x, row.rate.value, (row.rate.low, row.rate.high), f"{row.rate.value:.2f}")
        for row in rows
    ]
    spec = _lines(values, name, _LABELS[name], rate_title([standing.row for standing in standings]))
    return Chart(
        name,
        f"{FIGURES[rows[0].figure].title} along {ALONG[name]}: {setting(standings[0].row, [ALONG[name]])}",
        "Each point is the rate against the strongest attacker, or the one that an attacker chose, with its "
        "95 % interval, of the attacks that were run at every place of its line.",
        spec,
        Table(LineRow, tuple(rows), ()),
    )


def curve_chart(curves: Sequence[Curve], axis: str) -> Chart:
    """The picture of curves of single cells.

    Args:
        curves: along one axis, as `bench.board.curves.curves` makes them.
        axis: one of `bench.board.curves.AXES`.
    """
    table: Table[PointRow] = curve_table(curves, axis)
    values = [
        _point(row.curve, row.x, row.value, (row.low, row.high), f"{row.value:.2f}") | {"figure": row.figure}
        for row in table.rows
    ]
    several = len({curve.figure for curve in curves}) > 1
    spec = _lines(values, axis, AXES[axis].label, "rate" if several else curves[0].figure)
    if several:
        layers = {key: value for key, value in spec.items() if key != "data"}
        facet = {"row": {"field": "figure", "type": "nominal", "title": None}}
        spec = {"data": spec["data"], "facet": facet, "spec": layers}
    return Chart("curve", f"Along {axis}", "Bars are 95 % intervals over users.", spec, table)


def _point(
    series: str, x: float, rate: float | None, ends: tuple[float | None, float | None], word: str
) -> dict[str, Any]:
    low, high = ends
    told = f"{series} at {x:g}: {word}"
    return {"series": series, "x": x, "rate": rate, "low": low, "high": high, "told": told}


def _lines(values: Sequence[dict[str, Any]], axis: str, label: str, title: str) -> dict[str, Any]:
    names = list(dict.fromkeys(value["series"] for value in values))
    places = sorted({value["x"] for value in values})
    x = {
        "field": "x",
        "type": "quantitative",
        "title": label,
        "axis": {"values": places} if len(places) <= _FEW else {},
        "scale": {"zero": False, "padding": 12}
        | ({"type": "symlog", "constant": 100} if axis == "distractors" else {}),
    }
    y = {"field": "rate", "title": title, **RATE}
    columns: Spec = {"legend": {"columns": 1 + len(names) // _MANY, "direction": "vertical"}}
    looks = {key: value | columns for key, value in (marked(names, "") | dashed(names, "")).items()}
    colour = {"color": looks["color"]}
    said = {"description": {"field": "told"}, "tooltip": {"field": "told"}}
    return {
        "width": 460,
        "height": 300,
        "data": rows_of(values),
        "layer": [
            {
                "transform": [{"filter": "datum.low !== null && datum.high !== null"}],
                "mark": {"type": "rule", "strokeWidth": 1.5, "aria": False},
                "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, **colour},
            },
            {
                "mark": {"type": "line", "aria": False},
                "encoding": {"x": x, "y": y, **colour, "strokeDash": looks["strokeDash"]},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 55, "opacity": 1},
                "encoding": {"x": x, "y": y, **colour, "shape": looks["shape"], **said},
            },
        ],
    }
