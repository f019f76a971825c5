"""`frontier`: how well defenses protect against how much they change photos."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from bench.board.figures import FIGURES
from bench.board.panel import Standing
from bench.board.table import Table
from bench.board.tracks import but_for
from bench.charts.chart import Chart, Link, linked, rows_of
from bench.charts.naming import rate_title, row_names, setting
from bench.charts.style import FAINT, KNOWLEDGE, RATE, coloured
from bench.records.record import Metric

_WORDS = 10
"""Up to so many points have their name beside them."""


@dataclass(frozen=True, slots=True)
class FrontierRow:
    """A defense with one budget.

    Attributes:
        series: what it is called.
        knowledge: what it knew of the attacker's encoder.
        figure: of the rate.
        rate: what rows of the panel are known by.
        attacker: the condition that it is of.
        ssim: mean over the published photos.
        photos_per_second: of cloaking; None where all cloaks were re-used.
        best: whether no other row that knew as much, or that needs no surrogate, protects better and changes
            photos less.
        cell: digest of a cell behind the rate.
    """

    series: str
    budget: str
    knowledge: str
    figure: str
    rate: Metric
    attacker: str
    ssim: float
    photos_per_second: float | None
    best: bool
    cell: str


def frontiers(tracks: Sequence[Sequence[Standing]], link: Link | None = None) -> list[Chart]:
    """A chart for each set of tracks that differ in budget and knowledge only.

    Args:
        tracks: as `bench.board.panel.standings` makes them.
        link: digest of a cell -> where a click on its point leads; None for nowhere.
    """
    groups: dict[tuple[str, str], list[Standing]] = defaultdict(list)
    for standing in (row for track in tracks for row in track):
        if standing.rate is not None and standing.rate.value is not None and standing.ssim is not None:
            key = but_for(standing.first, "knowledge", "budget")
            groups[standing.row.figure, key].append(standing)
    return [_chart(rows, link) for rows in groups.values()]


def _chart(standings: Sequence[Standing], link: Link | None) -> Chart:
    rows = _rows(standings)
    names = list(dict.fromkeys(row.series for row in rows))
    values = [
        {
            "series": row.series,
            "knowledge": row.knowledge,
            "change": 1 - row.ssim,
            "rate": row.rate.value,
            "low": row.rate.low,
            "high": row.rate.high,
            "told": f"{row.series}, {row.knowledge}, {row.budget}: {row.rate.value:.2f}, SSIM {row.ssim:.3f}",
            **linked(link, row.cell),
        }
        for row in rows
    ]
    known = [knowledge for knowledge in KNOWLEDGE if knowledge in {row.knowledge for row in rows}]
    x = {"field": "change", "type": "quantitative", "title": "visible change: 1 less SSIM, mean over photos"}
    y = {
        "field": "rate",
        "title": rate_title([standing.row for standing in standings]),
        **RATE,
    }
    colour = coloured(names, "defense")
    shape = {
        "shape": {
            "field": "knowledge",
            "type": "nominal",
            "title": "what it knew of the encoder",
            "scale": {"domain": known, "range": [KNOWLEDGE[name] for name in known]},
        }
    }
    href = {"href": {"field": "href"}} if link else {}
    said = {"description": {"field": "told"}, "tooltip": {"field": "told"}}
    layers = [
        {
            "data": rows_of(_lines(standings)),
            "mark": {"type": "line", "color": FAINT, "strokeDash": [4, 3], "interpolate": "step-after"},
            "encoding": {"x": x, "y": y, "detail": {"field": "knowledge"}},
        },
        {
            "mark": {"type": "rule", "strokeWidth": 1.5, "aria": False},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, **colour},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
            "encoding": {"x": x, "y": y, **colour, **shape, **said, **href},
        },
    ]
    if len(rows) <= _WORDS:
        layers.append(
            {
                "mark": {"type": "text", "align": "left", "dx": 8, "dy": -6, "fontSize": 11, "aria": False},
                "encoding": {"x": x, "y": y, "text": {"field": "series"}},
            }
        )
    return Chart(
        "frontier",
        f"{FIGURES[rows[0].figure].title} against visible change: {setting(standings[0].row, ['budget'])}",
        "Each point is a defense against its strongest attacker, or the one that an attacker chose, with its "
        "95 % interval. A dashed line joins those that no other with the same knowledge beats in both. "
        "Different budgets and knowledge are different tracks, and are not ranked together.",
        {"width": 460, "height": 300, "data": rows_of(values), "layer": layers},
        Table(FrontierRow, rows, ()),
    )


def _rows(standings: Sequence[Standing]) -> tuple[FrontierRow, ...]:
    rows = []
    for standing, name in zip(standings, row_names(standings), strict=True):
        rate, ssim, deciding = standing.rate, standing.ssim, standing.deciding
        if rate is not None and ssim is not None and deciding is not None:
            rows.append(
                FrontierRow(
                    series=name,
                    budget=standing.row.budget,
                    knowledge=standing.row.knowledge,
                    figure=standing.row.figure,
                    rate=rate,
                    attacker=deciding,
                    ssim=ssim,
                    photos_per_second=standing.photos_per_second,
                    best=standing in _best(standings, standing.row.knowledge),
                    cell=standing.cells[deciding][0].cell,
                )
            )
    return tuple(rows)


def _lines(standings: Sequence[Standing]) -> list[dict[str, object]]:
    """The corners of one line for each knowledge; defenses without surrogates are in all of them."""
    known = dict.fromkeys(standing.row.knowledge for standing in standings)
    return [
        {"knowledge": knowledge, "change": 1 - (standing.ssim or 0), "rate": standing.rate.value}
        for knowledge in [name for name in known if name != "none"] or known
        for standing in _best(standings, knowledge)
        if standing.rate is not None
    ]


def _best(standings: Sequence[Standing], knowledge: str) -> list[Standing]:
    """The rows with some knowledge, or without surrogates, that no other of them beats."""
    rows = [standing for standing in standings if standing.row.knowledge in (knowledge, "none")]
    return [row for row in rows if not any(_beats(other, row) for other in rows)]


def _beats(other: Standing, standing: Standing) -> bool:
    """Whether a row protects as well as another for as small a change, and is better in one of the two."""
    mine, theirs = _harms(standing), _harms(other)
    return all(a <= b for a, b in zip(theirs, mine, strict=True)) and theirs != mine


def _harms(standing: Standing) -> tuple[float, float]:
    rate = standing.rate.value if standing.rate is not None else None
    harm = 1.0 if rate is None else FIGURES[standing.row.figure].harm(rate)
    return harm, 1 - (standing.ssim or 0.0)
