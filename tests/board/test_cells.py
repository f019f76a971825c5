"""A row of a cell has the record's own numbers, and hides nothing."""

from __future__ import annotations

from typing import Any

from bench.board.cells import cell_rows
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


def test_figures_are_the_records_own() -> None:
    cell = record(cfr=1 / 3)
    (row,) = cell_rows([cell])
    assert row.cfr == cell.metrics["cfr"]
    assert row.cfr_clean == cell.metrics["cfr_clean"]
    assert row.cfr_link is None
    assert row.ssim == 0.91234
    assert row.not_ok == 0
    assert row.cell == cell.cell


def test_the_strongest_attack_is_on_top() -> None:
    rows = cell_rows([record("a", 0.1), record("b", 0.9), record("c", None), record("d", 0.4)])
    assert [row.defense for row in rows] == ["b", "d", "a", "c"]


def test_the_strongest_identification_is_on_top() -> None:
    # PSR is the share that was *not* named: the lowest is the strongest attack
    rows = cell_rows([record(name, metrics={"psr1": metric(psr)}) for name, psr in (("a", 0.9), ("b", 0.0))])
    assert [row.defense for row in rows] == ["b", "a"]


def test_what_is_not_ok_is_counted() -> None:
    (row,) = cell_rows([record(outcomes={"ok": 30, "not_detected": 7, "out_of_budget": 3})])
    assert row.not_ok == 10


def test_flags_and_failures_are_kept() -> None:
    flag = Flag(FlagCode.WEAK_ATTACKER, "no evidence of protection (clean CFR below 0.8)")
    rows = cell_rows(
        [
            record("weak", flags=[flag]),
            record("broken", status="failed", error="ValueError: no", metrics={}, perceptual={}),
        ]
    )
    by_defense = {row.defense: row for row in rows}
    assert by_defense["weak"].flags == (flag,)
    broken = by_defense["broken"]
    assert (broken.status, broken.error, broken.cfr, broken.ssim) == ("failed", "ValueError: no", None, None)


def test_an_undefined_figure_is_no_zero() -> None:
    (row,) = cell_rows([record(cfr=None)])
    assert row.cfr is not None
    assert row.cfr.value is None


def test_an_ensemble_has_all_its_surrogates() -> None:
    (row,) = cell_rows([record(surrogate=[Named(name="one"), Named(name="two")], knowledge="grey-box")])
    assert (row.surrogate, row.knowledge) == (("one", "two"), "grey-box")
