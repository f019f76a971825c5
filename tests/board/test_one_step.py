"""What a cloak that beats DBSCAN on its surrogate falls to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bench.board.one_step import StepRow, step_rows
from bench.board.user_tables import UserTable
from bench.board.values import Strongest
from bench.records.record import CellRecord, Metric, Named
from bench.types import Flag, FlagCode


def made(records: list[CellRecord]) -> list[StepRow]:
    """Rows without anybody's table."""
    return step_rows(records, {})


def rate(attack: Strongest | None) -> float | None:
    return None if attack is None or attack.rate is None else attack.rate.value


def by(attack: Strongest | None) -> tuple[float | None, str]:
    return rate(attack), "" if attack is None else attack.by


def p(attack: Strongest | None) -> float:
    assert attack is not None
    assert attack.p is not None
    return attack.p


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
    (row,) = made(
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
    assert by(row.dbscan_on_surrogate) == (0, "")
    assert by(row.another_clusterer) == (0.7, "hdbscan")
    assert by(row.another_encoder) == (0.4, "other")
    assert by(row.both) == (0.9, "hdbscan, other")
    assert by(row.platform) == (0.1, "jpeg:75")
    assert by(row.purifier) == (0.3, "tv:0.1")
    assert by(row.tuned_on_cloaks) == (0.25, "")
    assert by(row.adapted_encoder) == (0.35, "head")
    assert by(row.part_cloaked) == (0.8, "0.5")
    assert by(row.named) == (0.95, "svm")
    assert by(row.named_another_encoder) == (0.7, "knn, other")
    assert by(row.anything_same_encoder) == (0.7, "hdbscan, net")
    assert by(row.anything) == (0.9, "hdbscan, other")
    assert (row.defense, row.surrogate, row.users) == ("mask", ("net",), 20)


def test_naming_is_what_protection_leaves_of_one() -> None:
    (row,) = made([cell(0.25, "svm", figure="psr1")])
    assert row.named is not None
    # the interval of PSR is .125 to 1
    assert row.named.rate == Metric(value=0.75, low=0, high=0.875, n=20, better="lower")


def test_an_attack_says_which_cell_it_is_of() -> None:
    records = [cell(0.2, "components"), cell(0.7, "hdbscan")]
    (row,) = made(records)
    assert row.another_clusterer is not None
    assert row.another_clusterer.cell == records[1].cell
    assert row.another_clusterer.rate == records[1].metrics["cfr"]


def test_what_was_not_tried_is_empty() -> None:
    (row,) = made([cell(0.5)])
    assert rate(row.dbscan_on_surrogate) == 0.5
    assert row.another_clusterer is row.purifier is row.named is None


def test_a_low_rate_of_weak_attackers_says_so() -> None:
    weak: dict[str, Any] = {
        "flags": [Flag(FlagCode.WEAK_ATTACKER, "no evidence of protection (clean CFR below 0.8)")]
    }
    (row,) = made([cell(0.0, "photoprism", **weak)])
    assert row.another_clusterer is not None
    assert row.another_clusterer.weak
    (row,) = made([cell(0.0, "photoprism", **weak), cell(0.0, "hdbscan")])
    assert row.another_clusterer is not None
    assert not row.another_clusterer.weak


def test_cells_that_failed_are_told() -> None:
    lost: dict[str, Any] = {"status": "failed", "metrics": {}, "error": "no room"}
    (row,) = made([cell(0.1), cell(0.3, "hdbscan"), cell(0.0, "louvain", **lost)])
    assert row.another_clusterer is not None
    assert (rate(row.another_clusterer), row.another_clusterer.failed) == (0.3, 1)
    (row,) = made([cell(0.0, **lost), cell(0.0, "knn", figure="psr1", **lost)])
    nothing = Strongest(None, "", "", None, weak=False, failed=1)
    assert row.dbscan_on_surrogate == row.named == nothing


def test_other_users_and_other_crowds_are_other_rows() -> None:
    sizes = [(20, 30), (20, 400), (50, 400)]
    scenarios = [Named(name="introduced", parameters={"users": u, "background": b}) for u, b in sizes]
    named = Named(name="evasion", parameters={"users": 20, "background": 380})  # labelled photos cost people
    rows = made(
        [
            *(cell(rate, scenario=one) for rate, one in zip((0.1, 0.2, 0.3), scenarios, strict=True)),
            cell(0.6, "knn", figure="psr1", scenario=named),
        ]
    )
    assert [(rate(row.dbscan_on_surrogate), rate(row.named)) for row in rows] == [
        (0.1, 0.4),
        (0.2, 0.4),
        (0.3, None),
    ]


def test_users_are_compared_with_those_of_the_first_attack() -> None:
    records = [cell(0.0), cell(0.25, "components"), cell(0.5, channel="jpeg:75")]
    names = [f"user {i:02}" for i in range(20)]

    def table(formed: int, order: int = 1) -> UserTable:
        return UserTable.of({"user": names[::order], "formed": [i < formed for i in range(20)][::order]})

    # the users of a table may stand in any order; 5 against 0 of 20: p = 2 / 2^5 = .0625; 10: 2 / 2^10
    users = {r.cell: table(formed, -1) for r, formed in zip(records, (0, 5, 10), strict=True)}
    (row,) = step_rows(records, users)
    assert p(row.another_clusterer) == pytest.approx(0.0625)
    assert p(row.platform) == pytest.approx(2 * 2 / 2**10)  # the smaller of two counts twice
    assert row.dbscan_on_surrogate is not None
    assert row.dbscan_on_surrogate.p is None
    # 6 against 0 twice: p = .03125, and .0625 when corrected for two cells
    users[records[1].cell] = users[records[2].cell] = table(6)
    assert p(step_rows(records, users)[0].another_clusterer) == pytest.approx(0.0625)
    assert p(step_rows(records[:2], users)[0].another_clusterer) == pytest.approx(0.03125)
    # 10 users each, others: paired by name, not by place
    users[records[0].cell], users[records[2].cell] = table(10), table(10, -1)
    assert p(step_rows(records, users)[0].platform) == 1


def test_cells_without_a_table_of_users_have_no_test() -> None:
    records = [cell(0.0), cell(0.25, "components")]
    (row,) = step_rows(records, {records[1].cell: UserTable(("a",), {"formed": np.array([1.0])})})
    assert row.another_clusterer is not None
    assert row.another_clusterer.p is None
