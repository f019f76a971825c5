"""Attacks that somebody else made on released cloaks: a row keeps its best known attack, and says whose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.board.attackers import attacker_rows
from bench.board.cells import cell_rows
from bench.board.leaders import LeaderRow, leader_rows
from bench.board.loading import load
from bench.board.panel import PanelRow, panel_rows
from bench.comparison.pairing import compared
from bench.records import Metric, Named
from bench.records.record import Author

Plant = Callable[..., Path]
ANN = Author(name="Ann", url="https://example.org")


def own(rate: float) -> dict[str, Metric]:
    """How an attack did on the attacker's own cloaks."""
    return {"cfr": Metric(value=rate, low=0, high=1, n=9, better="none")}


def ours(defense: str, found: list[float], **more: Any) -> dict[str, Any]:
    return {"defense": Named(name=defense), "found": found} | more


def theirs(defense: str, found: list[float], **more: Any) -> dict[str, Any]:
    network = Named(name="big net", digest="f" * 64)
    return ours(defense, found, by=ANN, attacker=Named(name="trick"), encoder=network) | more


def panel(*folders: Path) -> dict[str, PanelRow]:
    return {row.defense: row for row in panel_rows(*load(folders, of_users=True, of_photos=True))}


def leaders(*folders: Path) -> dict[str, LeaderRow]:
    return {row.defense: row for row in leader_rows(*load(folders, of_users=True, of_photos=True))}


def test_the_strongest_attack_is_somebody_else_s(plant: Plant) -> None:
    run = plant("run", ours("mask", [1, 0, 0, 0]), ours("veil", [1, 1, 0, 0]))
    other = plant("other", theirs("mask", [0, 1, 1, 1]))
    row = panel(run, other)["mask"]
    assert (row.strongest, row.largest, row.attackers) == ("trick by Ann / big net", 0.75, 2)
    assert row.any is not None
    assert row.any.value == 1  # ours finds the first user, theirs the other three
    assert leaders(run, other)["mask"].broken_by == "trick by Ann through big net"
    # nobody attacked the other row, which therefore misses nothing and stays as it was
    assert panel(run, other)["veil"] == panel(run)["veil"]


def test_a_weaker_attack_of_somebody_else_breaks_nothing(plant: Plant) -> None:
    run = plant("run", ours("mask", [1, 1, 0, 0]))
    row = panel(run, plant("other", theirs("mask", [1, 0, 0, 0])))["mask"]
    assert (row.strongest, row.largest) == ("dbscan / net", 0.5)


def test_it_is_never_the_attacker_s_own_choice(plant: Plant) -> None:
    run = plant("run", ours("mask", [1, 0, 0, 0], own_cloaks=own(0.5), level="adaptive"))
    other = plant("other", theirs("mask", [1, 1, 1, 1], own_cloaks=own(1.0), level="adaptive"))
    row = panel(run, other)["mask"]
    assert row.chosen is not None
    assert (row.chosen.rate.value, row.ranked_by) == (0.25, panel(run)["mask"].ranked_by)
    assert leaders(run, other)["mask"].broken_by == (
        "dbscan through net, adaptive; best known: trick by Ann through big net"
    )


def test_two_attacks_of_one_name_are_told_apart(plant: Plant) -> None:
    run = plant("run", ours("mask", [0, 0, 0, 0]))
    told = [Named(name="trick", parameters={"about": about}) for about in ("one way", "another")]
    other = plant("other", *(theirs("mask", [i, 1, 0, 0], attacker=how) for i, how in enumerate(told)))
    row = panel(run, other)["mask"]
    assert row.attackers == 3
    assert row.strongest in ("trick by Ann / big net / no. 1", "trick by Ann / big net / no. 2")


def test_it_counts_where_it_was_made_in_every_draw(plant: Plant) -> None:
    run = plant("run", *(ours("mask", [1, 0, 0, 0], draw=draw) for draw in (0, 1)))
    half = plant("half", theirs("mask", [1, 1, 1, 1], draw=0))
    rest = plant("rest", theirs("mask", [1, 1, 1, 1], draw=1))
    assert panel(run, half)["mask"] == panel(run)["mask"]
    assert panel(run, half, rest)["mask"].largest == 1


def test_where_our_own_cells_are_missing_it_makes_no_row(plant: Plant) -> None:
    assert panel(plant("other", theirs("mask", [1, 1, 1, 1]))) == {}


def test_cells_say_whose_it_is_and_comparisons_leave_it_out(plant: Plant) -> None:
    folders = (plant("run", ours("mask", [1, 0])), plant("other", theirs("mask", [1, 1])))
    records, _ = load(folders, of_users=True)
    assert sorted(row.attacker for row in cell_rows(records)) == ["dbscan", "trick by Ann"]
    assert [record.by for record in compared(records)] == [None]
    assert attacker_rows(records) == []
