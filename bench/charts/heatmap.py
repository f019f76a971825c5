"""`heatmap`: every defense of a track against every encoder, attacker and channel that it met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.board.figures import FIGURES
from bench.board.panel import Standing
from bench.board.table import Table
from bench.board.tracks import attacker, encoder, weak
from bench.charts.chart import Chart, Link, by, linked, rows_of
from bench.charts.naming import row_names, setting
from bench.charts.style import FAINT, HIGH_TEXT, LOW_TEXT
from bench.records.record import Metric


@dataclass(frozen=True, slots=True)
class HeatRow:
    """A defense against one attack.

    Attributes:
        defense: what the row of the panel is called.
        condition: attacker, encoder, channel and so on.
        encoder: what the attacker looks through.
        rate: over users and draws; None where a result is missing.
        weak: whether the attacker finds too few people on clean photos for a low rate to be evidence.
        cell: digest of the first cell.
    """

    defense: str
    condition: str
    encoder: str
    attacker: str
    channel: str
    knowledge: str
    figure: str
    rate: Metric | None
    weak: bool
    cell: str


def heatmaps(tracks: Sequence[Sequence[Standing]], link: Link | None = None) -> list[Chart]:
    """A chart for each track.

    Args:
        tracks: as `bench.board.panel.standings` makes them.
        link: digest of a cell -> where a click on it leads; None for nowhere.
    """
    return [_chart(track, link) for track in tracks]


def _chart(track: Sequence[Standing], link: Link | None) -> Chart:
    rows = _rows(track)
    order = sorted(dict.fromkeys((row.encoder, row.condition) for row in rows), key=lambda pair: pair[0])
    conditions = [condition for _, condition in order]
    names = list(dict.fromkeys(row.defense for row in rows))
    values = [
        {
            "defense": row.defense,
            "defenseth": names.index(row.defense),
            "condition": row.condition,
            "conditionth": conditions.index(row.condition),
            "rate": None if row.rate is None else row.rate.value,
            "word": _word(row),
            "told": f"{row.defense} against {row.condition}: {_word(row)}",
            **linked(link, row.cell),
        }
        for row in rows
    ]
    long = max(map(len, names)) > 9
    axes = {
        "y": {
            "field": "condition",
            "type": "nominal",
            "title": None,
            "sort": by("conditionth"),
        },
        "x": {
            "field": "defense",
            "type": "nominal",
            "title": None,
            "sort": by("defenseth"),
            "axis": {"orient": "top", "labelAngle": -35 if long else 0, "labelLimit": 160},
        },
    }
    scale = {"scheme": "cividis", "domain": [0, 1], "reverse": not FIGURES[rows[0].figure].clusters}
    title = FIGURES[rows[0].figure].title
    href = {"href": {"field": "href"}} if link else {}
    bright = "datum.rate >= 0.5" if FIGURES[rows[0].figure].clusters else "datum.rate < 0.5"
    layers = [
        {
            "mark": {"type": "rect"},
            "encoding": {
                "color": {
                    "condition": {"test": "datum.rate === null", "value": "transparent"},
                    **{"field": "rate", "type": "quantitative", "title": title, "scale": scale},
                },
                "description": {"field": "told"},
                "tooltip": {"field": "told"},
                **href,
            },
        },
        {
            "mark": {"type": "text", "fontSize": 10, "aria": False},
            "encoding": {
                "text": {"field": "word"},
                "color": {
                    "condition": [
                        {"test": "datum.rate === null", "value": FAINT},
                        {"test": bright, "value": HIGH_TEXT},
                    ],
                    "value": LOW_TEXT,
                },
                **href,
            },
        },
    ]
    first = track[0].row
    return Chart(
        "heatmap",
        f"{title} of every cell: {setting(first)}, {first.knowledge}",
        "A row is an attack (attacker / encoder / channel and more), a column a defense. Bright: the attack "
        "succeeds. ≥ and ≤ stand at the rate of a weak attacker; a hyphen where a result is missing.",
        {
            "width": {"step": 58},
            "height": {"step": 18},
            "data": rows_of(values),
            "encoding": axes,
            "layer": layers,
        },
        Table(HeatRow, rows, ()),
    )


def _word(row: HeatRow) -> str:
    if row.rate is None or row.rate.value is None:
        return "-"
    sign = ("≥" if FIGURES[row.figure].clusters else "≤") if row.weak else ""
    return f"{sign}{row.rate.value:.2f}"


def _rows(track: Sequence[Standing]) -> tuple[HeatRow, ...]:
    rows = []
    for standing, name in zip(track, row_names(track), strict=True):
        for condition, cells in standing.cells.items():
            rate = standing.rates.get(condition)
            rows.append(
                HeatRow(
                    defense=name,
                    condition=condition,
                    encoder=encoder(cells[0]),
                    attacker=attacker(cells[0]),
                    channel=cells[0].channel,
                    knowledge=standing.row.knowledge,
                    figure=standing.row.figure,
                    rate=None if rate is None else Metric.of(rate),
                    weak=any(map(weak, cells)),
                    cell=cells[0].cell,
                )
            )
    return tuple(rows)
