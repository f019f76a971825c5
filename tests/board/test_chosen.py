"""The attacker's own choice: fixed on its own cloaks, whatever became of the users."""

from __future__ import annotations

from typing import Any

import pytest

from bench.board.panel import PanelRow, panel_rows
from bench.board.user_tables import UserTable
from bench.records.record import CellRecord, Metric, Named
from bench.types import Flag, FlagCode
from bench.uncertainty.intervals import rate_interval, wilson

USERS = 20
Cell = tuple[CellRecord, UserTable]


def rate(value: float) -> Metric:
    return Metric(value=value, low=0, high=1, n=USERS, better="none")


def cell(
    defense: str,
    attacker: str,
    users: int | list[int],
    own: dict[str, float] | None = None,
    *,
    figure: str = "cfr",
    draw: int = 0,
    clean: float = 1.0,
    **changes: Any,
) -> Cell:
    """A cell in which so many users are clustered (or protected), the first ones or those that are listed."""
    hit = set(range(users)) if isinstance(users, int) else set(users)
    values = [float(i in hit) for i in range(USERS)]
    stated: dict[str, Any] = {
        "cell": "/".join([defense, attacker, figure, str(draw), str(changes)]),
        "status": "ok",
        "dataset": Named(name="synthetic"),
        "scenario": Named(name="introduced" if figure == "cfr" else "evasion"),
        "defense": Named(name=defense),
        "surrogate": [Named(name="net")],
        "budget": "linf:8",
        "channel": "none",
        "encoder": Named(name="other"),
        "attacker": Named(name=attacker),
        "level": "adaptive",
        "detector": Named(name="mtcnn"),
        "knowledge": "black-box",
        "seed": 0,
        "draw": draw,
        "metrics": {figure: rate(sum(values) / USERS), f"{figure}_clean": rate(clean)},
        "own_cloaks": {name: rate(value) for name, value in (own or {}).items()},
    }
    column = {"user": [f"user{i:02}" for i in range(USERS)], "formed" if figure == "cfr" else figure: values}
    return CellRecord(**(stated | changes)), UserTable.of(column)


def board(*cells: Cell) -> list[PanelRow]:
    return panel_rows([record for record, _ in cells], {record.cell: table for record, table in cells})


def chosen(row: PanelRow) -> tuple[str, float | None]:
    assert row.chosen is not None
    return row.chosen.attacker, row.chosen.rate.value


def test_what_is_best_on_own_cloaks_is_sent_and_not_what_is_best_on_the_users() -> None:
    (row,) = board(
        cell("mask", "dbscan", 18, {"cfr": 0.2, "bcubed_f": 0.9}),
        cell("mask", "hdbscan", 9, {"cfr": 0.5, "bcubed_f": 0.8}, clean=0.95),
    )
    assert chosen(row) == ("hdbscan / other / adaptive", 0.45)
    assert row.chosen is not None
    assert (row.chosen.own, row.chosen.clean, row.chosen.times) == (0.5, 0.95, 1)
    assert (row.largest, row.strongest) == (0.9, "dbscan / other / adaptive")
    # one attacker, fixed beforehand: the plain interval
    assert (row.chosen.rate.low, row.chosen.rate.high) == wilson(9, USERS)


@pytest.mark.parametrize(
    ("first", "second", "sent"),
    [
        ({"cfr": 0.5, "bcubed_f": 0.8}, {"cfr": 0.5, "bcubed_f": 0.9}, "second"),
        ({"cfr": 0.5, "bcubed_f": 0.9}, {"cfr": 0.5, "bcubed_f": 0.9}, "first"),
        ({"cfr": 0.5}, {"cfr": 0.5, "bcubed_f": 0.9}, "second"),
        ({}, {"cfr": 0.0, "bcubed_f": 0.1}, "second"),
    ],
)
def test_bcubed_f_decides_between_equals_and_then_the_order_of_the_panel(
    first: dict[str, float], second: dict[str, float], sent: str
) -> None:
    (row,) = board(cell("mask", "first", 3, first), cell("mask", "second", 4, second))
    assert chosen(row)[0] == f"{sent} / other / adaptive"


def test_who_names_sends_what_names_most() -> None:
    (row,) = board(
        cell("mask", "knn", 16, {"psr1": 0.7}, figure="psr1"),
        cell("mask", "svm", 19, {"psr1": 0.3}, figure="psr1"),
    )
    assert chosen(row) == ("svm / other / adaptive", 0.95)
    assert row.chosen is not None
    assert (row.chosen.rate.better, row.ranked_by) == ("higher", None)


def test_each_draw_chooses_by_itself_and_the_interval_covers_the_choice() -> None:
    own = [(0.9, 0.1), (0.1, 0.9), (0.9, 0.1)]
    cells = [
        cell("mask", name, users, {"cfr": cfr}, draw=draw)
        for draw, both in enumerate(own)
        for name, users, cfr in zip(("dbscan", "hdbscan"), (10, 2), both, strict=True)
    ]
    (row,) = board(*cells)
    assert row.chosen is not None
    assert chosen(row) == ("dbscan / other / adaptive", pytest.approx(22 / 60))
    assert row.chosen.times == 2
    sent = [[float(i < users) for i in range(USERS)] for users in (10, 2, 10)]
    assert (row.chosen.rate.low, row.chosen.rate.high) == rate_interval(sent)


def test_a_platform_is_nothing_that_an_attacker_chooses() -> None:
    own = {"cfr": 0.9}
    (row,) = board(
        cell("mask", "dbscan", 2, {"cfr": 0.1}),
        cell("mask", "dbscan", 9, {"cfr": 0.4}, channel="tv:0.1"),  # a purifier is
        cell("mask", "dbscan", 18, own, channel="jpeg:75"),
    )
    assert chosen(row) == ("dbscan / other / tv:0.1 / adaptive", 0.45)
    (row,) = board(cell("mask", "dbscan", 18, own, channel="jpeg:75"))
    assert chosen(row) == ("dbscan / other / jpeg:75 / adaptive", 0.9)


def test_oracles_and_failures_are_not_sent() -> None:
    oracle = cell("mask", "kmeans", 20, {"cfr": 1.0}, flags=[Flag(FlagCode.ORACLE, "told")])
    failed, _ = cell("mask", "louvain", 20, {"cfr": 1.0}, status="failed", metrics={})
    record, table = cell("mask", "dbscan", 3, {"cfr": 0.1})
    rows = panel_rows([oracle[0], failed, record], {record.cell: table, oracle[0].cell: oracle[1]})
    assert chosen(rows[0]) == ("dbscan / other / adaptive", 0.15)


def test_rows_are_ordered_and_ranked_by_what_was_sent() -> None:
    def row(defense: str, sent: int, other: int) -> list[Cell]:
        return [cell(defense, "a", sent, {"cfr": 0.9}), cell(defense, "b", other, {"cfr": 0.1})]

    rows = board(*row("weak", 15, 15), *row("strong", 1, 20))
    assert [(r.defense, r.rank_first, r.rank_last, r.ranked_by) for r in rows] == [
        ("strong", 1, 1, "chosen"),
        ("weak", 2, 2, "chosen"),
    ]
    assert [r.largest for r in rows] == [1.0, 0.75]


def test_without_own_cloaks_the_strongest_of_all_decides() -> None:
    rows = board(cell("weak", "a", 20), cell("weak", "b", 0), cell("strong", "a", 2), cell("strong", "b", 2))
    assert [(r.defense, r.rank_first, r.ranked_by, r.chosen) for r in rows] == [
        ("strong", 1, "max", None),
        ("weak", 2, "max", None),
    ]
    assert not any(flag.code is FlagCode.NO_CHOICE for r in rows for flag in r.flags)


def test_rows_with_and_without_a_choice_are_never_ranked_together() -> None:
    with_choice = [cell("one", "a", 20, {"cfr": 1.0}), cell("two", "a", 9, {"cfr": 1.0})]
    rows = board(cell("silent", "a", 0), *with_choice)
    assert [(r.defense, r.rank_first, r.rank_last) for r in rows] == [
        ("two", 1, 1),
        ("one", 2, 2),
        ("silent", None, None),
    ]
    assert [flag.code for flag in rows[2].flags] == [FlagCode.NO_CHOICE, FlagCode.NARROW_PANEL]


def test_a_draw_without_own_cloaks_is_no_choice() -> None:
    (row,) = board(cell("mask", "a", 3, {"cfr": 0.5}), cell("mask", "a", 3, draw=1))
    assert row.chosen is None


def test_a_weak_attackers_low_rate_holds_no_rank() -> None:
    weak: dict[str, Any] = {"flags": [Flag(FlagCode.WEAK_ATTACKER, "clean CFR below 0.8")], "clean": 0.4}
    strong = {"cfr": 0.1}
    cells = [cell("one", "a", 0, {"cfr": 0.9}, **weak), cell("one", "b", 5, strong)]
    cells += [cell(name, "a", n, {"cfr": 0.9}) for name, n in (("two", 2), ("three", 20))]
    cells += [cell(name, "b", 5, strong) for name in ("two", "three")]
    rows = board(*cells)
    assert [(r.defense, r.rank_first) for r in rows] == [("two", 1), ("three", 2), ("one", None)]
    assert rows[2].chosen is not None and rows[2].chosen.weak
    assert Flag(FlagCode.WEAK_ATTACKER, "the chosen one") in rows[2].flags


def test_holm_covers_the_board_and_not_only_a_track() -> None:
    def track(budget: str) -> list[Cell]:
        # seven users, all one way: p = 2 / 2^7 = .016
        pair = (("one", 3), ("two", 10))
        return [cell(name, "a", n, {"cfr": 0.9}, budget=budget) for name, n in pair]

    def ranks(*budgets: str) -> set[tuple[int | None, int | None]]:
        rows = board(*(made for budget in budgets for made in track(budget)))
        return {(row.rank_first, row.rank_last) for row in rows}

    assert ranks("linf:8") == ranks("linf:8", "linf:4") == {(1, 1), (2, 2)}
    assert ranks("linf:8", "linf:4", "linf:2", "linf:1") == {(1, 2)}


def test_the_smallest_difference_that_shows_grows_with_the_board() -> None:
    def least(*budgets: str) -> float | None:
        rows = board(*(cell(name, "a", 5, budget=b) for b in budgets for name in ("one", "two", "three")))
        return rows[0].detectable

    alone, more = least("linf:8"), least("linf:8", "linf:4")
    assert alone is not None and (more is None or more > alone)
