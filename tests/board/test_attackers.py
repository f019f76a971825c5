"""How often each attacker was the strongest."""

from __future__ import annotations

from typing import Any

from bench.board.attackers import attacker_rows
from bench.board.figures import FIGURES
from bench.records.record import CLEAN_TOO, CellRecord, Cost, Metric, Named
from bench.types import Flag, FlagCode


def cell(attacker: str, cfr: float, *, figure: str = "cfr", **changes: Any) -> CellRecord:
    value = Metric(value=cfr, low=0, high=1, n=10, better="lower")
    clean = Metric(value=1.0 if figure == "cfr" else 0.0, low=0, high=1, n=10, better="lower")
    stated: dict[str, Any] = {
        "cell": f"{attacker}{cfr}{sorted(changes)}",
        "status": "ok",
        "dataset": Named(name="synthetic"),
        "scenario": Named(name="introduced"),
        "defense": Named(name="mask"),
        "surrogate": [Named(name="net")],
        "budget": "linf:8",
        "channel": "none",
        "encoder": Named(name="net"),
        "attacker": Named(name=attacker),
        "detector": Named(name="mtcnn"),
        "knowledge": "white-box",
        "seed": 0,
        "metrics": {figure: value, f"{figure}_clean": clean},
        "cost": Cost(seconds={"attack": 0.5}),
    }
    return CellRecord(**(stated | changes))


def test_ties_are_strongest_and_nobody_is_alone() -> None:
    rows = {row.attacker: row for row in attacker_rows([cell("a", 0.5), cell("b", 0.5), cell("c", 0.1)])}
    assert {n: (r.cells, r.strongest, r.alone) for n, r in rows.items()} == {
        "a": (1, 1, 0),
        "b": (1, 1, 0),
        "c": (1, 0, 0),
    }
    assert rows["a"].seconds == 0.5


def test_low_protection_is_a_strong_attack() -> None:
    first, second = attacker_rows([cell("a", 0.9, figure="psr1"), cell("b", 0.2, figure="psr1")])
    assert (first.attacker, first.alone, first.clean) == ("b", 1, 1)
    assert second.strongest == 0


def test_only_attackers_that_met_the_same_are_compared() -> None:
    rows = attacker_rows(
        [cell("a", 0.5), cell("b", 0.9, channel="jpeg:75"), cell("a", 0.1, channel="jpeg:75")]
    )
    assert {row.attacker: (row.cells, row.strongest) for row in rows} == {"b": (1, 1), "a": (1, 0)}


def test_controls_oracles_and_failures_are_left_out() -> None:
    others = [
        cell("b", 1.0, knowledge="none"),
        cell("c", 1.0, flags=[Flag(FlagCode.ORACLE, "told the true number of people")]),
        cell("d", 1.0, status="failed"),
    ]
    assert attacker_rows([cell("a", 0.5), *others]) == []


def test_nobody_is_the_strongest_where_nobody_did_anything() -> None:
    rows = attacker_rows([cell("a", 0.0), cell("b", 0.0)])
    assert [(row.cells, row.strongest, row.alone) for row in rows] == [(1, 0, 0)] * 2


def test_adaptations_of_one_name_are_met_apart() -> None:
    how = [Named(name="finetune", parameters={"steps": steps}) for steps in (3, 300)]
    cells = [cell("a", 0.1, adaptation=how[0]), cell("b", 0.0, adaptation=how[0])]
    cells += [cell("a", 0.5, adaptation=how[1]), cell("b", 0.2, adaptation=how[1])]
    assert [(r.attacker, r.cells, r.alone) for r in attacker_rows(cells)] == [("a", 2, 2), ("b", 2, 0)]


def test_every_main_figure_has_its_rate_on_clean_photos() -> None:
    assert tuple(FIGURES) == CLEAN_TOO


def test_an_attacker_is_chosen_on_its_own_cloaks_once_a_defense_and_draw() -> None:
    def tried(attacker: str, own: float, **changes: Any) -> CellRecord:
        best = {"cfr": Metric(value=own, low=0, high=1, n=10, better="lower")}
        return cell(attacker, 0.5, own_cloaks=best, level="adaptive", **changes)

    named = [Named(name="mask"), Named(name="other")]
    cells = [tried("a", 0.9, defense=named[0]), tried("b", 0.1, defense=named[0])]
    cells += [tried("a", 0.2, defense=named[1]), tried("b", 0.3, defense=named[1])]
    cells += [tried("a", 0.2, defense=named[1], draw=1), tried("b", 0.3, defense=named[1], draw=1)]
    cells = [record.model_copy(update={"cell": str(i)}) for i, record in enumerate(cells)]
    assert {row.attacker: (row.chosen, row.choices) for row in attacker_rows(cells)} == {
        "a": (1, 3),
        "b": (2, 3),
    }
    silent = [cell("a", 0.5), cell("b", 0.1)]
    assert [(row.chosen, row.choices) for row in attacker_rows(silent)] == [(None, 0)] * 2
