"""The panel's board: the strongest attacker counts, gaps are named, ties are ties."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bench.board.panel import PanelRow, panel_rows
from bench.board.user_tables import UserTable
from bench.records.record import CellRecord, Metric, Named
from bench.types import Flag, FlagCode

USERS = [f"user{i:02}" for i in range(20)]


def cell(
    defense: str,
    attacker: str,
    formed: int | None,
    *,
    encoder: str = "net",
    figure: str = "cfr",
    draw: int = 0,
    **changes: Any,
) -> tuple[CellRecord, dict[str, list[Any]]]:
    """A cell in which the first `formed` of twenty users are clustered; None is a failed one."""
    values = [float(i < (formed or 0)) for i in range(20)]
    metric = Metric(value=sum(values) / 20, low=0, high=1, n=20, better="lower")
    stated: dict[str, Any] = {
        "cell": "/".join([defense, attacker, encoder, figure, str(draw), str(sorted(changes))]),
        "status": "failed" if formed is None else "ok",
        "dataset": Named(name="synthetic"),
        "scenario": Named(name="introduced", parameters={"users": 20}),
        "defense": Named(name=defense),
        "surrogate": [Named(name="net")],
        "budget": "linf:8",
        "channel": "none",
        "encoder": Named(name=encoder),
        "attacker": Named(name=attacker),
        "detector": Named(name="mtcnn"),
        "knowledge": "black-box",
        "seed": 0,
        "draw": draw,
        "metrics": {} if formed is None else {figure: metric},
    }
    column = "formed" if figure == "cfr" else figure
    return CellRecord(**(stated | changes)), {"user": USERS, column: values}


def made(*cells: tuple[CellRecord, dict[str, list[Any]]]) -> list[PanelRow]:
    tables = {record.cell: UserTable.of(table) for record, table in cells if record.status == "ok"}
    return panel_rows([record for record, _ in cells], tables)


def worst(row: PanelRow) -> float | None:
    assert row.worst is not None
    return row.worst.value


def rank(row: PanelRow) -> tuple[int | None, int | None]:
    return row.rank_first, row.rank_last


UNRANKED = (None, None)


def test_the_largest_rate_counts_and_any_counts_users() -> None:
    (row,) = made(cell("mask", "dbscan", 4), cell("mask", "hdbscan", 10))
    assert worst(row) == 0.5
    assert row.any is not None
    assert row.any.value == 0.5  # the same users, and more
    assert (row.strongest, row.attackers, row.missing) == ("hdbscan / net", 2, ())


def test_a_failed_cell_is_named_and_its_row_has_no_rank() -> None:
    good = [cell("one", "dbscan", 0), cell("one", "hdbscan", 0)]
    bad = [cell("two", "dbscan", 20), cell("two", "hdbscan", None)]
    one, two = made(*good, *bad)
    assert (two.missing, rank(two), two.attackers) == (("hdbscan / net",), UNRANKED, 1)
    assert two.worst is not None
    assert two.worst.high == 1  # what is missing may have been worse
    assert (one.missing, rank(one)) == ((), UNRANKED)  # nobody whole to be compared with


def test_a_cell_that_one_row_lacks_is_named_too() -> None:
    rows = made(cell("one", "dbscan", 0), cell("one", "hdbscan", 0), cell("two", "dbscan", 0))
    assert [row.missing for row in rows] == [(), ("hdbscan / net",)]


def test_ranks_within_the_noise_are_ties() -> None:
    near = made(cell("one", "dbscan", 9), cell("two", "dbscan", 10))
    assert [rank(row) for row in near] == [(1, 2), (1, 2)]
    far = made(cell("one", "dbscan", 20), cell("two", "dbscan", 0))
    assert [rank(row) for row in far] == [(2, 2), (1, 1)]


def test_oracles_are_never_ranked() -> None:
    oracle = cell("mask", "kmeans", 20, flags=[Flag(FlagCode.ORACLE, "told the true number of people")])
    (row,) = made(cell("mask", "dbscan", 1), oracle)
    assert (row.strongest, row.attackers) == ("dbscan / net", 1)


def test_white_box_rows_with_other_surrogates_meet_the_same_condition() -> None:
    one = cell("mask", "dbscan", 20, encoder="a", knowledge="white-box", surrogate=[Named(name="a")])
    two = cell("mask", "dbscan", 0, encoder="b", knowledge="white-box", surrogate=[Named(name="b")])
    rows = made(one, two)
    assert [rank(row) for row in rows] == [(2, 2), (1, 1)]
    assert rows[0].strongest == "dbscan / its surrogate"


def test_rows_that_met_other_encoders_are_not_compared() -> None:
    rows = made(cell("mask", "dbscan", 20, encoder="a"), cell("other", "dbscan", 0, encoder="b"))
    assert [rank(row) for row in rows] == [UNRANKED, UNRANKED]
    assert [row.missing for row in rows] == [(), ()]


def test_draws_are_pooled() -> None:
    (row,) = made(*(cell("mask", "dbscan", 5 + draw, draw=draw) for draw in range(5)))
    assert row.draws == 5
    assert worst(row) == pytest.approx(0.35)  # 5 to 9 of 20


def test_protection_is_turned_round() -> None:
    rows = made(
        cell("mask", "knn", 15, figure="psr1"),
        cell("mask", "svm", 10, figure="psr1"),
    )
    (row,) = rows
    assert (row.figure, row.strongest) == ("psr1", "svm / net")
    assert worst(row) == 0.5
    assert row.any is None


def test_an_attacker_twice_is_told_apart_by_its_parameters() -> None:
    cells = [cell("mask", "a", 1), cell("mask", "b", 9)]
    attackers = [Named(name="dbscan", parameters={"eps": eps}) for eps in (0.4, 0.5)]
    rows = made(
        *(
            (record.model_copy(update={"attacker": attacker}), table)
            for (record, table), attacker in zip(cells, attackers, strict=True)
        )
    )
    assert rows[0].strongest == "dbscan:eps=0.5 / net"


def renamed(
    made: tuple[CellRecord, dict[str, list[Any]]], name: str
) -> tuple[CellRecord, dict[str, list[Any]]]:
    """The same cell with a digest of its own."""
    return made[0].model_copy(update={"cell": name}), made[1]


def test_adaptations_of_one_name_are_two_attackers() -> None:
    long, short = (Named(name="finetune", parameters={"steps": steps}) for steps in (300, 3))
    one, two = cell("mask", "dbscan", 20, adaptation=long), cell("mask", "dbscan", 1, adaptation=short)
    (row,) = made(one, renamed(two, "two"))
    # the weaker one comes later and must not take the place of the stronger
    assert worst(row) == 1
    assert (row.strongest, row.attackers) == ("dbscan / net / finetune:steps=300", 2)


def test_every_one_of_several_surrogates_counts() -> None:
    both: dict[str, Any] = {"knowledge": "white-box", "surrogate": [Named(name="a"), Named(name="b")]}
    (row,) = made(
        cell("mask", "dbscan", 20, encoder="a", **both), cell("mask", "dbscan", 0, encoder="b", **both)
    )
    assert worst(row) == 1
    assert (row.strongest, row.attackers) == ("dbscan / a", 2)


def test_runs_in_other_crowds_are_other_tracks() -> None:
    sizes = [{"users": 20, "background": size} for size in (400, 30)]
    many, few = (Named(name="introduced", parameters=size) for size in sizes)
    rows = made(
        cell("mask", "dbscan", 20, scenario=many), renamed(cell("mask", "dbscan", 0, scenario=few), "few")
    )
    assert [worst(row) for row in rows] == [1, 0]


def test_draws_of_other_sizes_are_one_row() -> None:
    sizes = [
        Named(name="introduced", parameters={"users": 20, "calibration": 30 - draw}) for draw in range(5)
    ]
    (row,) = made(*(cell("mask", "dbscan", 5, draw=d, scenario=sizes[d]) for d in range(5)))
    assert row.draws == 5


def test_rows_of_more_draws_are_not_compared_with_rows_of_fewer() -> None:
    rows = made(*(cell("one", "dbscan", 5, draw=draw) for draw in range(3)), cell("two", "dbscan", 9))
    assert [(row.draws, rank(row), row.missing) for row in rows] == [(3, UNRANKED, ()), (1, UNRANKED, ())]


def test_who_met_weak_attackers_only_holds_no_rank() -> None:
    weak: dict[str, Any] = {
        "flags": [Flag(FlagCode.WEAK_ATTACKER, "no evidence of protection (clean CFR below 0.8)")]
    }
    strong = [cell(name, "dbscan", formed) for name, formed in (("one", 20), ("two", 10))]
    one, two, three = made(*strong, cell("three", "dbscan", 0, **weak))
    assert (rank(three), three.flags) == (UNRANKED, (Flag(FlagCode.WEAK_ATTACKER, "1 of 1 cells"),))
    assert (rank(one), rank(two), one.flags) == ((2, 2), (1, 1), ())


def test_who_is_over_budget_holds_no_rank() -> None:
    rows = made(
        cell("one", "dbscan", 20),
        cell("two", "dbscan", 0, flags=[Flag(FlagCode.OUT_OF_BUDGET, "on at least one photo")]),
    )
    over = Flag(FlagCode.OUT_OF_BUDGET, "1 of 1 cells")
    assert [(rank(row), row.flags) for row in rows] == [(UNRANKED, ()), (UNRANKED, (over,))]


def test_clusters_that_carry_the_users_name_have_a_row() -> None:
    record, table = cell("mask", "dbscan", 10, scenario=Named(name="linked", parameters={"users": 20}))
    linked = Metric(value=0.25, low=0, high=1, n=20, better="lower")
    record = record.model_copy(update={"metrics": record.metrics | {"cfr_link": linked}})
    rows = made((record, table | {"formed_linked": [float(i < 5) for i in range(20)]}))
    assert [(row.figure, worst(row)) for row in rows] == [("cfr", 0.5), ("cfr_link", 0.25)]


def test_a_row_says_what_it_could_have_shown() -> None:
    (row,) = made(cell("mask", "dbscan", 4))
    assert row.users == 20
    assert row.detectable is not None
    assert 0 < row.detectable < 1
    # of two users not even one half could be told from nothing
    record, _ = cell("mask", "dbscan", 1)
    (small,) = panel_rows([record], {record.cell: UserTable(("a", "b"), {"formed": np.array([1.0, 0.0])})})
    assert (small.users, small.detectable) == (2, None)


def test_a_defense_without_any_result_has_a_row_without_numbers() -> None:
    (row,) = made(cell("one", "dbscan", None), cell("two", "dbscan", 3))[:1]
    assert (row.worst, row.strongest, row.attackers, row.users) == (None, None, None, None)
    assert row.missing == ("dbscan / net",)
