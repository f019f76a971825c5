"""Curves along an axis of records."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from bench.board.curve_table import curve_table
from bench.board.curves import curves
from bench.board.loading import load
from bench.board.user_tables import UserTable
from bench.errors import UserError
from bench.metrics.clustering import PROTOCOL
from bench.records.record import CellRecord, Metric, Named


def record(cfr: float, **changes: Any) -> CellRecord:
    stated: dict[str, Any] = {
        "cell": str((cfr, sorted(changes.items(), key=str))),
        "status": "ok",
        "dataset": Named(name="synthetic"),
        "scenario": Named(name="introduced"),
        "defense": Named(name="mask"),
        "surrogate": [],
        "budget": "linf:8",
        "channel": "none",
        "encoder": Named(name="net"),
        "attacker": Named(name="dbscan"),
        "detector": Named(name="mtcnn"),
        "knowledge": "none",
        "seed": 0,
        "metrics": {"cfr": Metric(value=cfr, low=cfr / 2, high=1, n=10, better="lower")},
    }
    return CellRecord(**(stated | changes))


def test_points_stand_in_order_of_the_axis() -> None:
    (curve,) = curves([record(0.2, distractors=5000), record(0.9, distractors=0)], {}, "distractors")
    assert [(p.x, p.value, p.low) for p in curve.points] == [(0.0, 0.9, 0.45), (5000.0, 0.2, 0.1)]


def test_budgets_are_numbers_and_curves_are_told_apart() -> None:
    cells = [
        record(c, budget=f"linf:{b}", channel=ch)
        for c, b, ch in [(0.5, 4, "none"), (0, 8, "none"), (1, 4, "jpeg:75"), (0.7, 8, "jpeg:75")]
    ]
    cells.append(record(0.3, budget="unbounded", channel="none"))
    found = curves(cells, {}, "budget")
    assert [(c.name, [p.value for p in c.points]) for c in found] == [
        ("none", [0.5, 0.0]),
        ("jpeg:75", [1.0, 0.7]),
    ]


def test_no_cell_hides_another() -> None:
    seeds = [
        record(rate, distractors=n, seed=s)
        for rate, n, s in [(0.9, 0, 0), (0.8, 9, 0), (0.5, 0, 1), (0.4, 9, 1)]
    ]
    assert [c.name for c in curves(seeds, {}, "distractors")] == ["seed 0", "seed 1"]
    attackers = [Named(name="knn", parameters={"k": k}) for k in (1, 3)]
    cells = [record(k / 4 + n / 100, distractors=n, attacker=attackers[k]) for k in (0, 1) for n in (0, 9)]
    assert [c.name for c in curves(cells, {}, "distractors")] == ["knn:k=1", "knn:k=3"]


def test_an_identifier_has_no_coverage() -> None:
    # one file holds the users of all cells: the columns of a clusterer are empty where an identifier ran
    cell = record(0.5, metrics={"psr1": Metric(value=0.5, low=0, high=1, n=2, better="higher")})
    empty = {name: [math.nan, math.nan] for name in ("support", "purity", "coverage")}
    users = UserTable.of({"user": ["a", "b"], **empty})
    with pytest.raises(UserError, match="no two points"):
        curves([cell], {cell.cell: users}, "coverage")


def test_the_coverage_curve_meets_the_protocol_where_the_protocol_is() -> None:
    # the record counted with the protocol's criterion; the curve counts again from the table of photos
    folder = Path(__file__).resolve().parents[2] / "results" / "built-in"
    records, users = load([folder], of_users=True, of_photos=True)
    for cell in records:
        (curve,) = curves([cell], users, "coverage")
        (at,) = (p for p in curve.points if p.x == PROTOCOL.coverage)
        assert (at.value, at.low, at.high) == (
            cell.metrics["cfr"].value,
            cell.metrics["cfr"].low,
            cell.metrics["cfr"].high,
        )


def test_calibration_is_what_the_attacker_tried() -> None:
    cell = record(0.5, calibrated={"grid": [0.1, 0.2, 0.3]}, tried=[0.5, 0.9, 0.6])
    (curve,) = curves([cell.model_copy(update={"protocol": "cloakbench/1"})], {}, "calibration")
    assert {(p.low, p.high, p.n) for p in curve.points} == {(None, None, None)}
    assert (curve.figure, [(p.x, p.value) for p in curve.points]) == (
        "bcubed_f",
        [(0.1, 0.5), (0.2, 0.9), (0.3, 0.6)],
    )


def test_calibration_has_the_rate_and_the_crowd_of_every_candidate() -> None:
    cell = record(0.5, calibrated={"grid": [0.1, 0.2]}, tried=[0.5, 0.9], tried_crowd=[0.8, 0.7])
    found = {curve.figure: [p.value for p in curve.points] for curve in curves([cell], {}, "calibration")}
    assert found == {"cfr": [0.5, 0.9], "bcubed_f": [0.8, 0.7]}


def test_a_point_is_a_row() -> None:
    drawn = curves([record(0.2, dose=0.5), record(0.9, dose=1.0)], {}, "dose")
    rows = curve_table(drawn, "dose").rows
    assert [
        (row.curve, row.figure, row.axis, row.x, row.value, row.low, row.high, row.n) for row in rows
    ] == [
        ("all", "cfr", "dose", 0.5, 0.2, 0.1, 1, 10),
        ("all", "cfr", "dose", 1, 0.9, 0.45, 1, 10),
    ]


def test_nothing_along_the_axis_says_how_to_make_some() -> None:
    with pytest.raises(UserError, match="--distractors"):
        curves([record(0.5)], {}, "dose")
    with pytest.raises(UserError, match="Did you mean 'dose'"):
        curves([record(0.5)], {}, "doze")
