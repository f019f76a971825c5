"""What a cloak that beats DBSCAN on its surrogate falls to."""

from __future__ import annotations

from typing import Any

from bench.board import one_step
from bench.records.record import CellRecord, Metric, Named
from bench.types import Flag, FlagCode


def to_rows(records: list[CellRecord]) -> list[dict[str, str]]:
    """Without anybody's table."""
    return one_step.to_rows(records, {})


def cell(cfr: float, attacker: str = "dbscan", *, figure: str = "cfr", **changes: Any) -> CellRecord:
    stated: dict[str, Any] = {
        "cell": f"{cfr}{attacker}{figure}{sorted(changes)}",
        "status": "ok",
        "dataset": Named(name="synthetic"),
        "scenario": Named(name="introduced" if figure == "cfr" else "evasion", parameters={"users": 20}),
        "defense": Named(name="mask"),
        "surrogate": [Named(name="net")],
        "budget": "linf:8",
        "channel": "none",
        "encoder": Named(name="net"),
        "attacker": Named(name=attacker),
        "detector": Named(name="mtcnn"),
        "knowledge": "white-box",
        "seed": 0,
        "metrics": {figure: Metric(value=cfr, low=cfr / 2, high=1, n=20, better="lower")},
    }
    return CellRecord(**(stated | changes))


def test_each_column_is_one_step_and_the_strongest_of_it() -> None:
    other: dict[str, Any] = {"encoder": Named(name="other"), "knowledge": "black-box"}
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
            cell(
                1.0,
                level="oracle",
                flags=[Flag(FlagCode.ORACLE, "thresholds chosen on the protected photos")],
            ),
            cell(0.35, adaptation=Named(name="head")),
            cell(0.8, dose=0.5),
            cell(0.05, "svm", figure="psr1"),
            cell(0.3, "knn", figure="psr1", **other),
            cell(1.0, defense=Named(name="noise"), surrogate=[], knowledge="none"),
        ]
    )
    assert row["DBSCAN on the surrogate"] == "0.00 [0.00, 1.00]"
    assert row["another clusterer"] == "0.70 [0.35, 1.00] (hdbscan)"
    assert row["another encoder"] == "0.40 [0.20, 1.00] (other)"
    assert row["both"] == "0.90 [0.45, 1.00] (hdbscan, other)"
    assert row["a platform"] == "0.10 [0.05, 1.00] (jpeg:75)"
    assert row["a purifier"] == "0.30 [0.15, 1.00] (tv:0.1)"
    assert row["thresholds tuned on cloaks"] == "0.25 [0.12, 1.00]"
    assert row["an encoder that was adapted"] == "0.35 [0.17, 1.00] (head)"
    assert row["part of the photos cloaked"] == "0.80 [0.40, 1.00] (0.5)"
    assert row["named among clean photos"] == "0.95 [0.00, 0.97] (svm)"
    assert row["named through another encoder"] == "0.70 [0.00, 0.85] (knn, other)"
    assert row["anything, same encoder"] == "0.70 [0.35, 1.00] (hdbscan, net)"
    assert row["anything"] == "0.90 [0.45, 1.00] (hdbscan, other)"
    assert (row["defense"], row["users"]) == ("mask", "20")


def test_what_was_not_tried_is_empty() -> None:
    (row,) = to_rows([cell(0.5)])
    assert row["DBSCAN on the surrogate"] == "0.50 [0.25, 1.00]"
    assert row["another clusterer"] == row["a purifier"] == row["named among clean photos"] == ""


def test_a_low_rate_of_weak_attackers_says_so() -> None:
    weak: dict[str, Any] = {
        "flags": [Flag(FlagCode.WEAK_ATTACKER, "no evidence of protection (clean CFR below 0.8)")]
    }
    (row,) = to_rows([cell(0.0, "photoprism", **weak)])
    assert row["another clusterer"] == "0.00 [0.00, 1.00] (weak)"
    (row,) = to_rows([cell(0.0, "photoprism", **weak), cell(0.0, "hdbscan")])
    assert row["another clusterer"] == "0.00 [0.00, 1.00]"


def test_cells_that_failed_are_told() -> None:
    lost: dict[str, Any] = {"status": "failed", "metrics": {}, "error": "no room"}
    (row,) = to_rows([cell(0.1), cell(0.3, "hdbscan"), cell(0.0, "louvain", **lost)])
    assert row["another clusterer"] == "0.30 [0.15, 1.00] (hdbscan, 1 failed)"
    (row,) = to_rows([cell(0.0, **lost), cell(0.0, "knn", figure="psr1", **lost)])
    assert row["DBSCAN on the surrogate"] == row["named among clean photos"] == "(1 failed)"


def test_other_users_and_other_crowds_are_other_rows() -> None:
    sizes = [(20, 30), (20, 400), (50, 400)]
    scenarios = [Named(name="introduced", parameters={"users": u, "background": b}) for u, b in sizes]
    named = Named(name="evasion", parameters={"users": 20, "background": 380})  # labelled photos cost people
    rows = to_rows(
        [
            *(cell(rate, scenario=one) for rate, one in zip((0.1, 0.2, 0.3), scenarios, strict=True)),
            cell(0.6, "knn", figure="psr1", scenario=named),
        ]
    )
    assert [(row["DBSCAN on the surrogate"][:4], row["named among clean photos"][:4]) for row in rows] == [
        ("0.10", "0.40"),
        ("0.20", "0.40"),
        ("0.30", ""),
    ]


def test_what_differs_from_the_first_column_is_marked() -> None:
    records = [cell(0.0), cell(0.25, "components"), cell(0.5, channel="jpeg:75")]
    names = [f"user {i}" for i in range(20)]

    def table(formed: int, order: int = 1) -> dict[str, list[Any]]:
        return {"user": names[::order], "formed": [i < formed for i in range(20)][::order]}

    # the users of a table may stand in any order; 5 against 0 of 20: p = 2 / 2^5 = .0625; 10: 2 / 2^10
    users = {r.cell: table(formed, -1) for r, formed in zip(records, (0, 5, 10), strict=True)}
    (row,) = one_step.to_rows(records, users)
    assert row["another clusterer"] == "0.25 [0.12, 1.00] (components)"
    assert row["a platform"] == "0.50* [0.25, 1.00] (jpeg:75)"
    # 6 against 0 twice: p = .03125, and .0625 when corrected for two cells
    users[records[1].cell] = users[records[2].cell] = table(6)
    assert "*" not in one_step.to_rows(records, users)[0]["another clusterer"]
    assert "*" in one_step.to_rows(records[:2], users)[0]["another clusterer"]
    # 10 users each, others: paired by name, not by place
    users[records[0].cell], users[records[2].cell] = table(10), table(10, -1)
    assert "*" not in one_step.to_rows(records, users)[0]["a platform"]
