"""What a cloak that beats DBSCAN on its surrogate falls to."""

from __future__ import annotations

from typing import Any

from bench.board.falls import to_rows
from bench.records import CellRecord, Metric, Named


def cell(cfr: float, attacker: str = "dbscan", *, figure: str = "cfr", **changes: Any) -> CellRecord:
    stated: dict[str, Any] = {
        "cell": f"{cfr}{attacker}{figure}{sorted(changes)}",
        "status": "ok",
        "dataset": Named(name="synthetic"),
        "scenario": Named(name="introduced" if figure == "cfr" else "evasion"),
        "defense": Named(name="mask"),
        "surrogate": [Named(name="net")],
        "budget": "linf:8",
        "channel": "none",
        "encoder": Named(name="net"),
        "attacker": Named(name=attacker),
        "detector": Named(name="mtcnn"),
        "knowledge": "white-box",
        "seed": 0,
        "metrics": {figure: Metric(value=cfr, low=0, high=1, n=20, better="lower")},
    }
    return CellRecord(**(stated | changes))


def test_each_column_is_one_step_and_the_strongest_of_it() -> None:
    other = {"encoder": Named(name="other"), "knowledge": "black-box"}
    (row,) = to_rows(
        [
            cell(0.0),
            cell(0.2, "components"),
            cell(0.7, "hdbscan"),
            cell(0.4, **other),
            cell(0.9, "hdbscan", **other),
            cell(0.1, channel="jpeg:75"),
            cell(0.3, channel="tv:0.1"),
            cell(0.6, channel="jpeg:75+tv:0.1"),  # two steps: in no column
            cell(0.25, level="adaptive"),
            cell(1.0, level="oracle", flags=["oracle: thresholds chosen on the protected photos"]),
            cell(0.35, adaptation=Named(name="head")),
            cell(0.8, dose=0.5),
            cell(0.05, "svm", figure="psr1"),
            cell(1.0, defense=Named(name="noise"), surrogate=[], knowledge="none"),
        ]
    )
    assert row["DBSCAN on the surrogate"] == "0.00"
    assert row["another clusterer"] == "0.70 (hdbscan)"
    assert row["another encoder"] == "0.40 (other)"
    assert row["both"] == "0.90 (hdbscan, other)"
    assert row["a platform"] == "0.10 (jpeg:75)"
    assert row["a purifier"] == "0.30 (tv:0.1)"
    assert row["thresholds tuned on cloaks"] == "0.25"
    assert row["an encoder that was adapted"] == "0.35 (head)"
    assert row["half the photos cloaked"] == "0.80"
    assert row["named among clean photos"] == "0.95 (svm)"
    assert (row["defense"], row["users"]) == ("mask", "20")


def test_what_was_not_tried_is_empty() -> None:
    (row,) = to_rows([cell(0.5)])
    assert row["DBSCAN on the surrogate"] == "0.50"
    assert row["another clusterer"] == row["a purifier"] == row["named among clean photos"] == ""
