"""Rates at equal cost: between measured points, of the attacks that all points met, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from bench.board.equal_cost import COSTS, CostRow, cost_rows
from bench.board.user_tables import UserTable
from bench.board.views.cost import VIEW
from bench.records.record import CellRecord
from bench.types import Flag, FlagCode
from tests.board.test_panel import cell

Cells = tuple[CellRecord, dict[str, list[Any]]]


def at(ssim: float, budget: str, formed: int, defense: str = "mask", attacker: str = "dbscan") -> Cells:
    """A cell of twenty users under one budget, whose faces have this SSIM."""
    face = {"ssim": {"mean": ssim, "worst": ssim}, "dssim": {"mean": (1 - ssim) / 2, "worst": 0.5}}
    return cell(
        defense,
        attacker,
        formed,
        budget=budget,
        perceptual={"face": face},
        cell=f"{defense}{budget}{attacker}",
    )


def rows(*cells: Cells) -> dict[tuple[str, float], CostRow]:
    """By measure and cost; of one defense."""
    return {(row.measure, row.cost): row for row in made(*cells)}


def made(*cells: Cells) -> list[CostRow]:
    tables = {record.cell: UserTable.of(table) for record, table in cells}
    return cost_rows([record for record, _ in cells], tables)


def value(row: CostRow) -> float | None:
    return None if row.rate is None else row.rate.value


def test_a_rate_is_interpolated_between_the_two_points_around_it() -> None:
    of = rows(at(0.98, "linf:4", 20), at(0.96, "linf:8", 10), at(0.90, "linf:16", 0))
    assert set(of) == set(COSTS)
    assert value(of["SSIM", 0.97]) == pytest.approx(0.75)
    assert (of["SSIM", 0.97].below, of["SSIM", 0.97].above) == ("linf:4", "linf:8")
    assert value(of["SSIM", 0.95]) == pytest.approx(0.5 - 0.5 / 6)
    assert value(of["DSSIM", 0.017]) == pytest.approx(0.65)
    assert (of["SSIM", 0.97].least, of["SSIM", 0.97].most) == pytest.approx((0.98, 0.90))


def test_nothing_is_said_outside_of_what_was_measured() -> None:
    of = rows(at(0.98, "linf:4", 20), at(0.96, "linf:8", 10))
    assert value(of["SSIM", 0.99]) is None
    assert value(of["SSIM", 0.95]) is None
    assert of["SSIM", 0.99].below == ""
    alone = rows(at(0.97, "linf:8", 10))
    assert all(row.rate is None for row in alone.values())
    assert "mask: run under one budget only" in VIEW.notes(list(alone.values()))[0]


def test_the_interval_lies_between_those_of_the_points() -> None:
    few, many = at(0.98, "linf:4", 18), at(0.96, "linf:8", 2)
    whole = {row.cost: row.rate for row in made(few, many) if row.measure == "SSIM"}
    ends = [whole[0.97]]
    assert ends[0] is not None and ends[0].low is not None and ends[0].high is not None
    assert ends[0].low < 0.5 < ends[0].high
    assert ends[0].value == pytest.approx(0.5)


def test_only_attacks_that_were_made_under_every_budget_count() -> None:
    of = rows(at(0.98, "linf:4", 10), at(0.96, "linf:8", 10), at(0.98, "linf:4", 20, attacker="hdbscan"))
    assert value(of["SSIM", 0.97]) == pytest.approx(0.5)
    assert of["SSIM", 0.97].attackers == 1


def test_what_a_defense_did_not_meet_is_counted() -> None:
    cells = [at(ssim, budget, 10, name, attacker) for ssim, budget in ((0.98, "linf:4"), (0.96, "linf:8"))
             for name, attacker in (("one", "dbscan"), ("one", "hdbscan"), ("two", "dbscan"))]  # fmt: skip
    counted = {row.defense: (row.attackers, row.panel) for row in made(*cells)}
    assert counted == {"one": (2, 2), "two": (1, 2)}


def test_a_weak_attackers_rate_is_a_bound() -> None:
    def weak(record: CellRecord) -> CellRecord:
        flag = Flag(FlagCode.WEAK_ATTACKER, "no evidence of protection")
        return record.model_copy(update={"flags": (flag,)})

    strong, (few, table) = at(0.98, "linf:4", 10), at(0.96, "linf:8", 2)
    assert not any(row.weak for row in made(strong, (few, table)))
    assert {row.cost for row in made(strong, (weak(few), table)) if row.weak} == {0.97, 0.012, 0.017}


def test_budgets_of_several_kinds_are_points_of_one_line() -> None:
    of = rows(at(0.98, "dssim:0.01", 20), at(0.96, "linf:8", 10))
    assert value(of["SSIM", 0.97]) == pytest.approx(0.75)


def test_who_protects_best_stands_on_top_of_a_cost() -> None:
    cells = [
        at(ssim, budget, formed, defense)
        for defense, formed in (("weak", 15), ("strong", 5))
        for ssim, budget in ((0.98, "linf:4"), (0.96, "linf:8"))
    ]
    cells.append(at(0.9, "linf:8", 0, "dear"))
    names = [row.defense for row in made(*cells) if (row.measure, row.cost) == ("SSIM", 0.97)]
    assert names == ["strong", "weak", "dear"]


def test_photos_as_they_are_have_no_cost() -> None:
    assert made(at(1.0, "linf:8", 20, "none")) == []


def test_a_cell_without_a_measured_face_is_placed_by_the_whole_photo() -> None:
    photo = {"dssim": {"mean": 0.01, "worst": 0.01}}
    first = cell("mask", "dbscan", 20, budget="linf:4", perceptual={"photo": photo}, cell="one")
    of = rows(first, at(0.96, "linf:8", 10))
    assert value(of["SSIM", 0.97]) == pytest.approx(0.75)
