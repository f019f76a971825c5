"""The panel's board: the strongest attacker counts, gaps are named, ties are ties."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.board import panel as panels
from bench.board.user_tables import read_users
from bench.errors import UserError
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


def made(*cells: tuple[CellRecord, dict[str, list[Any]]]) -> list[dict[str, str]]:
    tables = {record.cell: table for record, table in cells if record.status == "ok"}
    return panels.to_rows(panels.panels([record for record, _ in cells], tables))


def test_the_largest_rate_counts_and_any_counts_users() -> None:
    (row,) = made(cell("mask", "dbscan", 4), cell("mask", "hdbscan", 10))
    assert row["worst [95 %]"].startswith("0.50 [")
    assert row["any [95 %]"].startswith("0.50 [")  # the same users, and more
    assert (row["strongest attacker"], row["attackers"], row["missing"]) == ("hdbscan / net", "2", "")


def test_a_failed_cell_is_named_and_its_row_has_no_rank() -> None:
    good = [cell("one", "dbscan", 0), cell("one", "hdbscan", 0)]
    bad = [cell("two", "dbscan", 20), cell("two", "hdbscan", None)]
    one, two = made(*good, *bad)
    assert (two["missing"], two["rank"], two["attackers"]) == ("hdbscan / net", "", "1")
    assert two["worst [95 %]"].endswith("1.00]")  # what is missing may have been worse
    assert (one["missing"], one["rank"]) == ("", "")  # nobody whole to be compared with


def test_a_cell_that_one_row_lacks_is_named_too() -> None:
    rows = made(cell("one", "dbscan", 0), cell("one", "hdbscan", 0), cell("two", "dbscan", 0))
    assert [row["missing"] for row in rows] == ["", "hdbscan / net"]


def test_ranks_within_the_noise_are_ties() -> None:
    near = made(cell("one", "dbscan", 9), cell("two", "dbscan", 10))
    assert [row["rank"] for row in near] == ["1-2", "1-2"]
    far = made(cell("one", "dbscan", 20), cell("two", "dbscan", 0))
    assert [row["rank"] for row in far] == ["2", "1"]


def test_oracles_are_never_ranked() -> None:
    oracle = cell("mask", "kmeans", 20, flags=[Flag(FlagCode.ORACLE, "told the true number of people")])
    (row,) = made(cell("mask", "dbscan", 1), oracle)
    assert (row["strongest attacker"], row["attackers"]) == ("dbscan / net", "1")


def test_white_box_rows_with_other_surrogates_meet_the_same_condition() -> None:
    one = cell("mask", "dbscan", 20, encoder="a", knowledge="white-box", surrogate=[Named(name="a")])
    two = cell("mask", "dbscan", 0, encoder="b", knowledge="white-box", surrogate=[Named(name="b")])
    rows = made(one, two)
    assert [row["rank"] for row in rows] == ["2", "1"]
    assert rows[0]["strongest attacker"] == "dbscan / its surrogate"


def test_rows_that_met_other_encoders_are_not_compared() -> None:
    rows = made(cell("mask", "dbscan", 20, encoder="a"), cell("other", "dbscan", 0, encoder="b"))
    assert [row["rank"] for row in rows] == ["", ""]
    assert [row["missing"] for row in rows] == ["", ""]


def test_draws_are_pooled() -> None:
    (row,) = made(*(cell("mask", "dbscan", 5 + draw, draw=draw) for draw in range(5)))
    assert row["draws"] == "5"
    assert row["worst [95 %]"].startswith("0.35 [")


def test_protection_is_turned_round() -> None:
    rows = made(
        cell("mask", "knn", 15, figure="psr1"),
        cell("mask", "svm", 10, figure="psr1"),
    )
    (row,) = rows
    assert (row["figure"], row["strongest attacker"]) == ("PSR@1", "svm / net")
    assert row["worst [95 %]"].startswith("0.50 [")


def test_an_attacker_twice_is_told_apart_by_its_parameters() -> None:
    cells = [cell("mask", "a", 1), cell("mask", "b", 9)]
    attackers = [Named(name="dbscan", parameters={"eps": eps}) for eps in (0.4, 0.5)]
    rows = made(
        *(
            (record.model_copy(update={"attacker": attacker}), table)
            for (record, table), attacker in zip(cells, attackers, strict=True)
        )
    )
    assert rows[0]["strongest attacker"] == "dbscan:eps=0.5 / net"


def test_a_folder_without_users_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"bench run --out"):
        read_users([tmp_path])
    (tmp_path / "users.parquet").write_bytes(b"PAR1 not")
    with pytest.raises(UserError, match="damaged"):
        read_users([tmp_path])


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
    assert row["worst [95 %]"].startswith("1.00 [")
    assert (row["strongest attacker"], row["attackers"]) == ("dbscan / net / finetune:steps=300", "2")


def test_every_one_of_several_surrogates_counts() -> None:
    both: dict[str, Any] = {"knowledge": "white-box", "surrogate": [Named(name="a"), Named(name="b")]}
    (row,) = made(
        cell("mask", "dbscan", 20, encoder="a", **both), cell("mask", "dbscan", 0, encoder="b", **both)
    )
    assert row["worst [95 %]"].startswith("1.00 [")
    assert (row["strongest attacker"], row["attackers"]) == ("dbscan / a", "2")


def test_runs_in_other_crowds_are_other_tracks() -> None:
    sizes = [{"users": 20, "background": size} for size in (400, 30)]
    many, few = (Named(name="introduced", parameters=size) for size in sizes)
    rows = made(
        cell("mask", "dbscan", 20, scenario=many), renamed(cell("mask", "dbscan", 0, scenario=few), "few")
    )
    assert [row["worst [95 %]"][:4] for row in rows] == ["1.00", "0.00"]


def test_draws_of_other_sizes_are_one_row() -> None:
    sizes = [
        Named(name="introduced", parameters={"users": 20, "calibration": 30 - draw}) for draw in range(5)
    ]
    (row,) = made(*(cell("mask", "dbscan", 5, draw=d, scenario=sizes[d]) for d in range(5)))
    assert row["draws"] == "5"


def test_rows_of_more_draws_are_not_compared_with_rows_of_fewer() -> None:
    rows = made(*(cell("one", "dbscan", 5, draw=draw) for draw in range(3)), cell("two", "dbscan", 9))
    assert [(row["draws"], row["rank"], row["missing"]) for row in rows] == [("3", "", ""), ("1", "", "")]


def test_who_met_weak_attackers_only_holds_no_rank() -> None:
    weak: dict[str, Any] = {
        "flags": [Flag(FlagCode.WEAK_ATTACKER, "no evidence of protection (clean CFR below 0.8)")]
    }
    strong = [cell(name, "dbscan", formed) for name, formed in (("one", 20), ("two", 10))]
    one, two, three = made(*strong, cell("three", "dbscan", 0, **weak))
    assert (three["rank"], three["flags"]) == ("", "1 of 1 cells: weak attacker")
    assert (one["rank"], two["rank"], one["flags"]) == ("2", "1", "")


def test_who_is_over_budget_holds_no_rank() -> None:
    rows = made(
        cell("one", "dbscan", 20),
        cell("two", "dbscan", 0, flags=[Flag(FlagCode.OUT_OF_BUDGET, "on at least one photo")]),
    )
    assert [(row["rank"], row["flags"]) for row in rows] == [("", ""), ("", "out of budget")]


def test_clusters_that_carry_the_users_name_have_a_row() -> None:
    record, table = cell("mask", "dbscan", 10, scenario=Named(name="linked", parameters={"users": 20}))
    linked = Metric(value=0.25, low=0, high=1, n=20, better="lower")
    record = record.model_copy(update={"metrics": record.metrics | {"cfr_link": linked}})
    rows = made((record, table | {"formed_linked": [float(i < 5) for i in range(20)]}))
    assert [(row["figure"], row["worst [95 %]"][:4]) for row in rows] == [
        ("CFR", "0.50"),
        ("CFR-link", "0.25"),
    ]
