"""Figures by name: each kind of records has its own, and what cannot be drawn is said in one line."""

from __future__ import annotations

import csv
from pathlib import Path

import PIL.Image
import pytest
from typer.testing import CliRunner

from bench.board.curves import curves
from bench.board.loading import load
from bench.charts.drawing import draw
from bench.charts.kinds import KINDS, charts, paper
from bench.charts.lines import curve_chart
from bench.charts.names import EMBEDDING, NAMES
from bench.cli import app
from bench.errors import UserError

RESULTS = Path(__file__).resolve().parents[2] / "results"
HOLD = {
    "built-in": {"frontier", "heatmap", "steps"},
    "lfw": {"frontier", "heatmap", "sweep", "steps"},
    "distractors": {"frontier", "heatmap", "distractors", "steps"},
}
"""Folder of committed records -> the kinds that it holds something of."""


def test_every_name_is_a_kind() -> None:
    assert sorted([*KINDS, EMBEDDING]) == sorted(NAMES)


@pytest.mark.parametrize("folder", HOLD)
def test_records_have_the_figures_that_they_can_have(folder: str) -> None:
    records, users = load([RESULTS / folder], of_users=True, of_photos=True)
    for name in KINDS:
        if name in HOLD[folder]:
            assert {chart.name for chart in charts(name, records, users)} == {name}
        else:
            with pytest.raises(UserError, match=f"these records have no {name}: ") as refused:
                charts(name, records, users)
            assert "\n" not in str(refused.value)


def test_a_paper_gets_the_axis_that_there_is() -> None:
    made, lacking = paper(*load([RESULTS / "distractors"], of_users=True, of_photos=True))
    assert ([*made], lacking) == (["frontier", "heatmap", "steps", "distractors"], [])
    made, lacking = paper(*load([RESULTS / "built-in"], of_users=True, of_photos=True))
    assert [*made] == ["frontier", "heatmap", "steps"]
    assert [line.partition(":")[0] for line in lacking] == ["no dose"]


def test_the_command_draws_and_keeps_the_data(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "frontier.png"
    words = ["figure", "frontier", str(RESULTS / "built-in"), "--out", str(out), "--data"]
    assert CliRunner().invoke(app, words, catch_exceptions=False).exit_code == 0
    with PIL.Image.open(out) as picture:
        assert len(picture.convert("RGB").getcolors(1 << 24) or ()) > 10
    rows = list(csv.DictReader(out.with_suffix(".csv").open()))
    assert sorted(row["series"] for row in rows) == ["advmask", "advmask", "noise", "none"]


def test_the_command_for_a_paper_names_its_files_and_what_is_missing(tmp_path: Path) -> None:
    words = ["figure", "paper", str(RESULTS / "built-in"), "--out", str(tmp_path)]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    files = {f"{name}{ending}" for name in HOLD["built-in"] for ending in (".svg", ".pdf", ".csv")}
    assert {path.name for path in tmp_path.iterdir()} == files
    assert {Path(line).name for line in done.stdout.splitlines()} == files
    assert done.stderr.startswith("bench: no dose: ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["frontie", "x"], "no figure 'frontie'. Did you mean 'frontier'?"),
        (["frontier", "x"], "Type --out frontier.svg"),
        (["paper", "x"], "Type --out figures"),
        (["frontier", "x", "--out", "a.doc"], "cannot draw a.doc"),
        (["dose", str(RESULTS / "built-in"), "--out", "a.svg"], "no dose"),
    ],
)
def test_a_mistake_is_one_line(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as refused:
        CliRunner().invoke(app, ["figure", *words], standalone_mode=False, catch_exceptions=False)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_curve_of_cells_is_drawn_with_its_points(tmp_path: Path) -> None:
    found = curves(*load([RESULTS / "distractors"], of_users=False), "distractors")
    chart = curve_chart(found, "distractors")
    assert len(chart.table.rows) == sum(len(curve.points) for curve in found)
    draw([chart], tmp_path / "curve.png")
    with PIL.Image.open(tmp_path / "curve.png") as picture:
        assert min(picture.size) > 300
    with pytest.raises(UserError, match="cannot draw"):
        draw([chart], tmp_path / "curve.nonsense")
