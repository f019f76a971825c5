"""The panel's board: the strongest attacker counts, gaps are named, ties are ties."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.board.coverage import judged_by
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


def board(*cells: tuple[CellRecord, dict[str, list[Any]]]) -> list[PanelRow]:
    """The rows as the board has them."""
    tables = {record.cell: UserTable.of(table) for record, table in cells if record.status == "ok"}
    return panel_rows([record for record, _ in cells], tables)


def made(*cells: tuple[CellRecord, dict[str, list[Any]]]) -> list[PanelRow]:
    """The rows in the order in which their defenses were given."""
    return in_order(board(*cells), [record for record, _ in cells])


def in_order(rows: list[PanelRow], records: list[CellRecord]) -> list[PanelRow]:
    given = [(record.defense.name, tuple(s.name for s in record.surrogate)) for record in records]
    return sorted(rows, key=lambda row: given.index((row.defense, row.surrogate)))


def worst(row: PanelRow) -> float | None:
    return row.largest


def rank(row: PanelRow) -> tuple[int | None, int | None]:
    return row.rank_first, row.rank_last


UNRANKED = (None, None)
ALONE = Flag(FlagCode.NARROW_PANEL, "dbscan is the only attacker")


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


def test_an_encoder_that_only_other_rows_met_is_missing() -> None:
    rows = made(cell("mask", "dbscan", 20, encoder="a"), cell("other", "dbscan", 0, encoder="b"))
    assert [rank(row) for row in rows] == [UNRANKED, UNRANKED]
    assert [row.missing for row in rows] == [("dbscan / b",), ("dbscan / a",)]


def test_an_encoder_that_a_row_met_in_another_track_is_not_missing() -> None:
    # each is a stranger to the other's surrogate, and knows its own
    black = [("one", "a", "b"), ("two", "b", "a"), ("one", "a", "c"), ("two", "b", "c")]
    cells = [
        cell(name, "dbscan", 9, encoder=encoder, surrogate=[Named(name=surrogate)])
        for name, surrogate, encoder in black
    ]
    cells += [
        cell(name, "dbscan", 0, encoder=own, surrogate=[Named(name=own)], knowledge="white-box")
        for name, own in (("one", "a"), ("two", "b"))
    ]
    rows = made(*cells)
    assert [row.missing for row in rows] == [()] * len(rows)


@pytest.mark.parametrize(
    ("scenario", "attacker", "figures"),
    [
        ("introduced", "hdbscan", ["cfr"]),
        ("linked", "hdbscan", ["cfr", "cfr_link"]),
        ("linked", "knn", ["psr1"]),
        ("evasion", "logistic", ["psr1"]),
        ("poisoning", "svm", ["protection_rate"]),
        ("introduced", "somebody-elses", ["cfr"]),
        ("linked", "somebody-elses", ["cfr", "cfr_link", "psr1"]),
        ("no-such-scenario", "hdbscan", []),
    ],
)
def test_what_a_failed_cell_would_have_had_is_said_by_its_attackers_role(
    scenario: str, attacker: str, figures: list[str]
) -> None:
    failed, _ = cell("mask", attacker, None, scenario=Named(name=scenario))
    assert judged_by(failed) == figures


@settings(max_examples=25)
@given(st.data())
def test_an_attacker_that_failed_is_missing_wherever_it_failed(data: st.DataObject) -> None:
    attackers = ["dbscan", "hdbscan", "louvain", "rank-order"]
    defenses = ["one", "two", "three"]
    failed = data.draw(st.sets(st.sampled_from([(d, a) for d in defenses for a in attackers])))
    everywhere = data.draw(st.sets(st.sampled_from(attackers), max_size=3))
    failed |= {(d, a) for d in defenses for a in everywhere}
    cells = [cell(d, a, None if (d, a) in failed else 5) for d in defenses for a in attackers]
    rows = made(*cells)
    assert [row.defense for row in rows] == defenses
    for row in rows:
        assert set(row.missing) == {f"{a} / net" for a in attackers if (row.defense, a) in failed}
        if row.missing:
            assert rank(row) == UNRANKED


def with_photos(
    made: tuple[CellRecord, dict[str, list[Any]]], unsure: int
) -> tuple[CellRecord, dict[str, list[Any]], dict[str, list[Any]]]:
    """The same cell with ten photos a user, of which some are not ok; who is clustered has one cluster."""
    record, table = made
    clustered = dict(zip(table["user"], table["formed"], strict=True))
    photos: dict[str, list[Any]] = {name: [] for name in ("user", "outcome", "cluster", "cluster_size")}
    for number, user in enumerate(table["user"]):
        for photo in range(10):
            blind = photo < unsure
            held = bool(clustered[user]) and not blind
            photos["user"].append(user)
            photos["outcome"].append("not_detected" if blind else "ok")
            photos["cluster"].append(number if held else -1)
            photos["cluster_size"].append(10 - unsure if held else 0)
    outcomes = {"ok": 20 * (10 - unsure), "not_detected": 20 * unsure}
    return record.model_copy(update={"outcomes": outcomes}), table, photos


def of_photos(*cells: tuple[CellRecord, dict[str, list[Any]], dict[str, list[Any]]]) -> list[PanelRow]:
    tables = {record.cell: UserTable.of(table, photos) for record, table, photos in cells}
    records = [record for record, *_ in cells]
    return in_order(panel_rows(records, tables), records)


@settings(max_examples=15)
@given(st.integers(0, 6), st.integers(5, 10), st.integers(0, 19))
def test_who_blinds_the_detector_is_never_ranked_before_who_does_not(
    clustered: int, unsure: int, blind_clustered: int
) -> None:
    # half of a user's photos or more say nothing: they could all have been one cluster
    rows = of_photos(
        with_photos(cell("honest", "dbscan", clustered), 0),
        with_photos(cell("blinding", "dbscan", 0 if unsure == 10 else blind_clustered), unsure),
    )
    honest, blinding = rows
    assert (blinding.bound, blinding.not_ok) == (1.0, 20 * unsure)
    assert (honest.bound, honest.not_ok) == (clustered / 20, 0)
    assert rank(honest) == (1, 1)
    assert rank(blinding) == (2, 2)


def test_a_cloak_that_blinds_an_identifier_is_ranked_as_if_all_were_named() -> None:
    def named(defense: str, protected: float, outcome: str) -> tuple[CellRecord, UserTable]:
        record, _ = cell(defense, "knn", 20, figure="psr1", scenario=Named(name="evasion"))
        photos = {
            "user": [user for user in USERS for _ in range(4)],
            "outcome": [outcome] * 80,
            "rank": [0 if photo < protected * 4 else 1 for _ in USERS for photo in range(4)],
        }
        outcomes = {outcome: 80}
        return record.model_copy(update={"outcomes": outcomes}), UserTable.of(
            {"user": USERS, "psr1": [protected] * 20}, photos
        )

    cells = [named("honest", 0.75, "ok"), named("blinding", 1.0, "not_detected")]
    records = [record for record, _ in cells]
    honest, blinding = in_order(panel_rows(records, {r.cell: table for r, table in cells}), records)
    assert (worst(honest), honest.bound, worst(blinding), blinding.bound) == (0.75, 0.75, 1.0, 0.0)
    assert (rank(honest), rank(blinding)) == ((1, 1), (2, 2))


def test_contamination_and_outcomes_are_those_of_the_cell_with_most() -> None:
    merged = Metric(value=0.4, low=0.3, high=0.5, n=30, better="lower")
    one, table = cell("mask", "dbscan", 4)
    one = one.model_copy(update={"metrics": one.metrics | {"contamination": merged}})
    (row,) = made((one, table), cell("mask", "hdbscan", 2, outcomes={"ok": 190, "misaligned": 10}))
    assert (row.contamination, row.not_ok) == (0.4, 10)


def test_one_attacker_is_no_panel() -> None:
    (row,) = made(cell("mask", "dbscan", 4))
    assert row.flags == (Flag(FlagCode.NARROW_PANEL, "dbscan is the only attacker"),)
    (row,) = made(cell("mask", "dbscan", 4), cell("mask", "hdbscan", 4))
    assert row.flags == ()


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
    assert (rank(three), three.flags[0]) == (UNRANKED, Flag(FlagCode.WEAK_ATTACKER, "1 of 1 cells"))
    assert (rank(one), rank(two), one.flags) == ((2, 2), (1, 1), (ALONE,))


def test_who_is_over_budget_holds_no_rank() -> None:
    rows = made(
        cell("one", "dbscan", 20),
        cell("two", "dbscan", 0, flags=[Flag(FlagCode.OUT_OF_BUDGET, "on at least one photo")]),
    )
    over = Flag(FlagCode.OUT_OF_BUDGET, "1 of 1 cells")
    assert [(rank(row), row.flags) for row in rows] == [(UNRANKED, (ALONE,)), (UNRANKED, (over, ALONE))]


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


def test_rows_with_other_surrogates_that_the_attacker_trained_meet_the_same_condition() -> None:
    def trained(name: str, formed: int) -> tuple[CellRecord, dict[str, list[Any]]]:
        own = Named(name=name, digest=name)
        made = cell(
            "mask", "dbscan", formed, encoder=name, knowledge="grey-box", surrogate=[own],
            adaptation=Named(name="head"),
        )  # fmt: skip
        return made[0].model_copy(update={"encoder": own}), made[1]

    rows = made(trained("a", 20), trained("b", 0))
    assert [(row.strongest, rank(row)) for row in rows] == [
        ("dbscan / its surrogate / head", (2, 2)),
        ("dbscan / its surrogate / head", (1, 1)),
    ]


def test_the_largest_of_many_equal_rates_is_printed_without_its_luck() -> None:
    rng = np.random.Generator(np.random.Philox(2))
    cells = []
    for number in range(40):
        record, table = cell("mask", f"attacker{number}", 0)
        hit = (rng.random(20) < 0.3).astype(float)
        rate = Metric(value=float(hit.mean()), low=0, high=1, n=20, better="lower")
        cells.append((record.model_copy(update={"metrics": {"cfr": rate}}), table | {"formed": hit.tolist()}))
    (row,) = made(*cells)
    assert row.largest is not None and row.worst is not None and row.worst.value is not None
    assert row.largest >= 0.4
    assert row.worst.value < row.largest - 0.1
