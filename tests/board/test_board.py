"""The board says what the records say, and hides nothing."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from bench.board.preview import AMPLIFY, draw
from bench.board.table import board, to_csv, to_markdown, used
from bench.errors import UserError
from bench.records.record import CellRecord, Metric, Named
from bench.types import Flag, FlagCode


def metric(value: float | None, low: float | None = None, high: float | None = None) -> Metric:
    return Metric(value=value, low=low, high=high, n=10, better="lower")


def record(defense: str = "none", cfr: float | None = 0.5, **changes: Any) -> CellRecord:
    stated: dict[str, Any] = {
        "cell": defense + str(cfr),
        "status": "ok",
        "dataset": Named(name="synthetic"),
        "scenario": Named(name="introduced"),
        "defense": Named(name=defense),
        "surrogate": [],
        "budget": "linf:8",
        "channel": "none",
        "encoder": Named(name="some-encoder"),
        "attacker": Named(name="dbscan"),
        "detector": Named(name="mtcnn"),
        "knowledge": "none",
        "seed": 0,
        "metrics": {"cfr": metric(cfr, 0.1, 0.9), "cfr_clean": metric(0.987)},
        "perceptual": {"photo": {"ssim": {"mean": 0.91234, "worst": 0.8}}},
        "outcomes": {"ok": 40},
    }
    return CellRecord(**(stated | changes))


def test_figures_with_their_intervals() -> None:
    (row,) = board([record(cfr=1 / 3)])
    assert row["CFR [95 %]"] == "0.33 [0.10, 0.90]"
    assert row["clean CFR"] == "0.99"
    assert row["SSIM"] == "0.912"
    assert row["not ok"] == ""


def test_the_strongest_attack_is_on_top() -> None:
    rows = board([record("a", 0.1), record("b", 0.9), record("c", None), record("d", 0.4)])
    assert [row["defense"] for row in rows] == ["b", "d", "a", "c"]


def test_the_strongest_identification_is_on_top() -> None:
    # PSR is the share that was *not* named: the lowest is the strongest attack
    rows = board([record(name, metrics={"psr1": metric(psr)}) for name, psr in (("a", 0.9), ("b", 0.0))])
    assert [row["defense"] for row in rows] == ["b", "a"]


def test_what_is_not_ok_is_counted() -> None:
    (row,) = board([record(outcomes={"ok": 30, "not_detected": 7, "out_of_budget": 3})])
    assert row["not ok"] == "10"


def test_flags_and_failures_are_shown() -> None:
    rows = board(
        [
            record(
                "weak",
                flags=[Flag(FlagCode.WEAK_ATTACKER, "no evidence of protection (clean CFR below 0.8)")],
            ),
            record("broken", status="failed", error="ValueError: no", metrics={}, perceptual={}),
            record("left", status="skipped", error="needs names", metrics={}),
        ]
    )
    flags = {row["defense"]: row["flags"] for row in rows}
    assert "weak attacker" in flags["weak"]
    assert flags["broken"] == "failed: ValueError: no"
    assert flags["left"] == "skipped: needs names"


def test_an_undefined_figure_is_empty_and_not_zero() -> None:
    (row,) = board([record(cfr=None)])
    assert row["CFR [95 %]"] == ""
    (row,) = board([record(cfr=0.0)])
    assert row["CFR [95 %]"].startswith("0.00")


def test_an_ensemble_is_one_name() -> None:
    (row,) = board([record(surrogate=[Named(name="one"), Named(name="two")], knowledge="grey-box")])
    assert (row["surrogate"], row["knowledge"]) == ("one+two", "grey-box")


def test_columns_that_say_nothing_are_left_out() -> None:
    rows = board([record()])
    assert "CFR-link" not in used(rows)
    assert "surrogate" not in used(rows)
    assert "CFR [95 %]" in used(rows)
    assert to_csv(rows).splitlines()[0].split(",") == used(rows)


def test_csv_comes_back() -> None:
    rows = board(
        [
            record(
                "a",
                flags=[Flag(FlagCode.OTHER, 'a "quoted", flag')],
                status="failed",
                error="line one\nline two",
            )
        ]
    )
    (back,) = csv.DictReader(io.StringIO(to_csv(rows)))
    assert back == {name: rows[0][name] for name in used(rows)}


def test_markdown_keeps_its_columns() -> None:
    rows = board([record("a", status="failed", error="pipe | and\nline"), record("b")])
    lines = to_markdown(rows).splitlines()
    assert len(lines) == 4
    bare = [line.replace("\\|", "") for line in lines]
    assert len({line.count("|") for line in bare}) == 1


def test_a_preview_shows_the_difference(tmp_path: Path) -> None:
    before = np.full((40, 50, 3), 100, np.uint8)
    after = before + np.uint8(4)
    draw(tmp_path / "new" / "p.png", [("noise", before, after), ("blur", before, before)])
    with PIL.Image.open(tmp_path / "new" / "p.png") as sheet:
        pixels = np.asarray(sheet)
    levels, counts = np.unique(pixels[:, :, 0], return_counts=True)
    shown = {int(level) for level, count in zip(levels, counts, strict=True) if count >= 40 * 50}
    assert {100, 104, 128, 128 + 4 * AMPLIFY} <= shown  # before, after, no change, the change


def test_a_preview_of_photos_of_several_sizes(tmp_path: Path) -> None:
    wide, high = np.zeros((10, 90, 3), np.uint8), np.zeros((70, 20, 3), np.uint8)
    pairs = [("a", wide, wide), ("a", high, high)]
    draw(tmp_path / "p.png", pairs)
    assert (tmp_path / "p.png").stat().st_size > 0


def test_a_preview_of_nothing_or_nowhere(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing to show"):
        draw(tmp_path / "p.png", [])
    (tmp_path / "file").write_text("")
    grey = np.zeros((9, 9, 3), np.uint8)
    with pytest.raises(UserError, match="cannot write the preview"):
        draw(tmp_path / "file" / "p.png", [("a", grey, grey)])
