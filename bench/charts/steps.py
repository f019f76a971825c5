"""`steps`: what one step from DBSCAN on the surrogate does to each defense."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from bench.board.escaping import printable
from bench.board.one_step import StepRow
from bench.board.table import Table
from bench.board.values import Strongest
from bench.board.views.steps import VIEW
from bench.charts.chart import Chart, Link, by, linked, rows_of
from bench.charts.style import RATE, marked
from bench.records.record import Metric


@dataclass(frozen=True, slots=True)
class StepPoint:
    """The strongest attack of one kind on one defense.

    Attributes:
        series: the defense, and what else tells it from the others of the chart.
        attack: what the attack does otherwise than DBSCAN on the surrogate.
        rate: of users who were clustered, or of probes that were named.
        by: the attack's name.
        weak: whether all of its kind are too weak for a low rate to say anything.
        cell: its digest.
    """

    series: str
    dataset: str
    attack: str
    rate: Metric
    by: str
    weak: bool
    cell: str


_HEADINGS = [column.heading for column in VIEW.columns]


def step_charts(rows: Sequence[StepRow], link: Link | None = None) -> list[Chart]:
    """A chart for each data set, budget and number of strangers; defenses of several draws show the first.

    Args:
        rows: as `bench.board.one_step.step_rows` makes them.
        link: digest of a cell -> where a click on its point leads; None for nowhere.
    """
    groups: dict[tuple[str, str, int], list[StepRow]] = defaultdict(list)
    for row in rows:
        if row.draw == min(other.draw for other in rows):
            groups[row.dataset, row.budget, row.distractors].append(row)
    charts = [_chart(of_group, link) for of_group in groups.values()]
    return [chart for chart in charts if chart.table.rows]


def _chart(rows: Sequence[StepRow], link: Link | None) -> Chart:
    points = [
        StepPoint(
            series=printable(f"{row.defense} on {'+'.join(row.surrogate)}"),
            dataset=row.dataset,
            attack=column.heading,
            rate=attack.rate,
            by=attack.by,
            weak=attack.weak,
            cell=attack.cell,
        )
        for row in rows
        for column in VIEW.columns
        if isinstance(attack := column.of(row), Strongest) and attack.rate is not None
    ]
    names = list(dict.fromkeys(point.series for point in points))
    values = [
        {
            "series": point.series,
            "seriesth": names.index(point.series),
            "attack": point.attack,
            "attackth": _HEADINGS.index(point.attack),
            "rate": point.rate.value,
            "low": point.rate.low,
            "high": point.rate.high,
            "told": f"{point.series}, {point.attack} ({point.by}): {_word(point.rate)}",
            **linked(link, point.cell),
        }
        for point in points
    ]
    y = {
        "field": "attack",
        "type": "nominal",
        "title": None,
        "sort": by("attackth"),
        "scale": {"padding": 0.25},
    }
    offset = {"field": "series", "type": "nominal", "sort": by("seriesth")}
    x = {
        "field": "rate",
        "title": "users clustered, or probes named (lower protects better)",
        **RATE,
    }
    looks = marked(names, "defense")
    first = rows[0]
    strangers = f", {first.distractors} strangers" if first.distractors else ""
    return Chart(
        "steps",
        printable(f"One step from DBSCAN on the surrogate: {first.dataset}, {first.budget}{strangers}"),
        "Each row changes one thing of the first attack and shows the strongest that was tried, with its own "
        "95 % interval over users.",
        {
            "width": 420,
            "height": {"step": max(9, min(22, 40 // max(len(names), 1)))},
            "data": rows_of(values),
            "encoding": {"y": y, "yOffset": offset},
            "layer": [
                {
                    "mark": {"type": "rule", "aria": False},
                    "encoding": {
                        "x": {**x, "field": "low"},
                        "x2": {"field": "high"},
                        "color": looks["color"],
                    },
                },
                {
                    "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
                    "encoding": {
                        "x": x,
                        **looks,
                        "description": {"field": "told"},
                        "tooltip": {"field": "told"},
                        **({"href": {"field": "href"}} if link else {}),
                    },
                },
            ],
        },
        Table(StepPoint, tuple(points), ()),
    )


def _word(rate: Metric) -> str:
    return "no result" if rate.value is None else f"{rate.value:.2f}"
