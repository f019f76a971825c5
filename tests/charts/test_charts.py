"""Charts show the numbers of boards, in a language that its own schema accepts, and as text that is text."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bench.board.loading import load
from bench.board.one_step import step_rows
from bench.board.panel import Standing, standings
from bench.board.user_tables import Users, UserTable
from bench.charts.chart import FORMATS, Chart, checked_ending, together
from bench.charts.frontier import frontiers
from bench.charts.heatmap import heatmaps
from bench.charts.lines import ALONG, panel_lines
from bench.charts.naming import row_names
from bench.charts.steps import step_charts
from bench.charts.style import COLOURS, SHAPES, marked
from bench.errors import UserError
from bench.records.record import CellRecord, Metric, Named

ROOT = Path(__file__).resolve().parents[2]
USERS = [f"user{i:02}" for i in range(20)]
BAD = "<script>alert('1')</script>\x1b[31m\u202e\"&]]>\\' + datum.x || \"\\ {{7*7}}"


@cache
def committed(folder: str) -> tuple[list[CellRecord], Users, list[list[Standing]]]:
    records, users = load([ROOT / "results" / folder], of_users=True, of_photos=True)
    return records, users, standings(records, users)


@cache
def charts(folder: str) -> tuple[Chart, ...]:
    records, users, tracks = committed(folder)
    lines = [chart for name in ALONG for chart in panel_lines(name, tracks, users)]
    return (*frontiers(tracks), *heatmaps(tracks), *lines, *step_charts(step_rows(records, users)))


def cell(name: str, formed: int, *, attacker: str = "dbscan", **changes: Any) -> CellRecord:
    """A cell in which the first `formed` of twenty users are clustered."""
    stated: dict[str, Any] = {
        "cell": "/".join([name, attacker, str(formed), str(sorted(changes.items()))]),
        "status": "ok",
        "dataset": Named(name="synthetic"),
        "scenario": Named(name="introduced", parameters={"users": 20}),
        "defense": Named(name=name),
        "surrogate": [Named(name="net")],
        "budget": "linf:8",
        "channel": "none",
        "encoder": Named(name="other"),
        "attacker": Named(name=attacker),
        "detector": Named(name="mtcnn"),
        "knowledge": "black-box",
        "seed": 0,
        "metrics": {"cfr": Metric(value=formed / 20, low=0, high=1, n=20, better="lower")},
        "perceptual": {"photo": {"ssim": {"mean": 0.9, "worst": 0.8}}},
    }
    return CellRecord(**(stated | changes))


def tables(records: Sequence[CellRecord]) -> Users:
    return {
        record.cell: UserTable.of(
            {"user": USERS, "formed": [float(i < 20 * (record.metrics["cfr"].value or 0)) for i in range(20)]}
        )
        for record in records
    }


def panel(*records: CellRecord) -> list[list[Standing]]:
    return standings(records, tables(records))


@pytest.mark.parametrize("folder", ["built-in", "lfw", "distractors"])
def test_the_language_of_a_chart_is_vega_lite(folder: str) -> None:
    import altair

    names = {chart.name for chart in charts(folder)}
    assert {"frontier", "heatmap", "steps"} <= names
    for chart in charts(folder):
        altair.Chart.from_dict({**chart.spec}, validate=True)


def test_a_heat_map_has_the_rate_of_every_record() -> None:
    records, _, tracks = committed("built-in")
    shown = {row.cell: row.rate for chart in heatmaps(tracks) for row in chart.table.rows}
    assert {cell: rate and rate.value for cell, rate in shown.items()} == pytest.approx(
        {record.cell: record.metrics["cfr"].value for record in records}
    )


def test_a_frontier_has_the_figure_of_every_row_and_what_it_cost() -> None:
    _, _, tracks = committed("lfw")
    (chart,) = frontiers(tracks)
    rows = [standing for track in tracks for standing in track]
    assert sorted(row.rate.value for row in chart.table.rows) == sorted(
        standing.rate.value
        for standing in rows
        if standing.rate is not None and standing.rate.value is not None
    )
    assert {row.ssim for row in chart.table.rows} == {standing.ssim for standing in rows}


def test_on_the_frontier_is_who_nobody_with_the_same_knowledge_beats() -> None:
    def cost(ssim: float) -> dict[str, Any]:
        return {"perceptual": {"photo": {"ssim": {"mean": ssim, "worst": ssim}}}}

    (chart,) = frontiers(
        panel(
            cell("none", 20, knowledge="none", surrogate=[], **cost(1)),
            cell("strong", 2, **cost(0.8)),
            cell("dear", 4, **cost(0.7)),
            cell("mild", 10, **cost(0.9)),
            cell("knowing", 0, knowledge="white-box", **cost(0.8)),
        )
    )
    assert {row.series: row.best for row in chart.table.rows} == {
        **{"none": True, "strong": True, "dear": False, "mild": True, "knowing": True}
    }


def test_a_line_is_of_attacks_that_were_run_at_all_of_its_places() -> None:
    records = [
        cell("mask", 4, dose=0.5),
        cell("mask", 2, dose=1.0),
        cell("mask", 18, attacker="hdbscan", dose=1.0),  # nobody asked it at a dose of one half
    ]
    (chart,) = panel_lines("dose", panel(*records), tables(records))
    assert [(row.x, row.rate.value) for row in chart.table.rows] == [(0.5, 0.2), (1.0, 0.1)]
    assert {row.attackers for row in chart.table.rows} == {1}


def test_one_place_is_no_line() -> None:
    records = [cell("mask", 4), cell("noise", 9)]
    assert [panel_lines(name, panel(*records), tables(records)) for name in ALONG] == [[], [], []]


def test_names_of_rows_say_what_they_differ_in_and_no_more() -> None:
    def net(name: str) -> list[Named]:
        return [Named(name=name)]

    def steps(number: int) -> Named:
        return Named(name="long", parameters={"steps": number})

    records = [
        cell("noise", 1, surrogate=[]),
        *(cell("mask", 1, surrogate=net("a")), cell("mask", 2, surrogate=net("b"))),
        *(cell("long", 1, defense=steps(1)), cell("long", 2, defense=steps(2))),
    ]
    rows = [standing for track in panel(*records) for standing in track]
    assert sorted(row_names(rows)) == ["long:steps=1", "long:steps=2", "mask on a", "mask on b", "noise"]


def test_the_same_chart_is_the_same_picture() -> None:
    assert [chart.svg() for chart in charts("built-in")] == [chart.svg() for chart in charts("built-in")]


@pytest.mark.parametrize("ending", FORMATS)
def test_a_chart_is_drawn_in_every_format(ending: str) -> None:
    first = {".svg": b"<svg ", ".pdf": b"%PDF-", ".png": b"\x89PNG"}[ending]
    some = charts("built-in")
    assert some[0].drawn(ending).startswith(first)
    maps = [chart for chart in some if chart.name == "heatmap"]
    assert len(together(maps, ending)) > len(maps[0].drawn(ending))


def test_another_format_is_refused_in_a_line() -> None:
    with pytest.raises(UserError, match=r"cannot draw a.gif: name a file that ends in .svg, .pdf, .png"):
        checked_ending("a.gif")
    assert checked_ending("b.d/A.SVG") == ".svg"


def test_the_data_of_a_chart_are_its_rows_with_intervals() -> None:
    chart = next(chart for chart in charts("built-in") if chart.name == "heatmap")
    read = list(csv.DictReader(io.StringIO(chart.csv())))
    assert len(read) == len(chart.table.rows)
    for line, row in zip(read, chart.table.rows, strict=True):
        assert float(line["rate"]) == row.rate.value
        assert (float(line["rate_low"]), float(line["rate_high"])) == (row.rate.low, row.rate.high)


def test_a_hostile_name_is_text_in_a_picture() -> None:
    records = [
        cell(
            BAD,
            4,
            attacker=BAD,
            dose=dose,
            budget=budget,
            surrogate=[Named(name=BAD)],
            encoder=Named(name=BAD),
        )
        for dose in (0.5, 1.0)
        for budget in ("linf:4", "linf:8")
    ]
    tracks = panel(*records)
    made = [*frontiers(tracks), *heatmaps(tracks), *step_charts(step_rows(records, tables(records)))]
    made += [chart for name in ALONG for chart in panel_lines(name, tracks, tables(records))]
    assert {chart.name for chart in made} == {"frontier", "heatmap", "steps", "dose", "sweep"}
    for chart in made:
        svg = chart.svg()
        tags = {element.tag.rpartition("}")[2] for element in ET.fromstring(svg).iter()}
        assert tags <= {
            "svg",
            "g",
            "path",
            "text",
            "line",
            "rect",
            "defs",
            "linearGradient",
            "stop",
            "tspan",
            "clipPath",
        }
        assert "<script>alert" in "".join(ET.fromstring(svg).itertext())
        assert not {"\x1b", "\u202e"} & set(svg)


def test_a_picture_has_a_name_for_those_who_do_not_see_it() -> None:
    for chart in charts("built-in"):
        svg = ET.fromstring(chart.svg())
        assert svg.get("role") == "graphics-document"
        assert svg.get("aria-label") == f"{chart.title}. {chart.caption}"


def test_no_two_of_fifty_six_series_look_alike() -> None:
    looks = marked([str(i) for i in range(len(COLOURS) * len(SHAPES))], "")
    pairs = list(zip(looks["color"]["scale"]["range"], looks["shape"]["scale"]["range"], strict=True))
    assert len(pairs) == len(set(pairs)) == 56
