"""Two defenses, two runs: pairs come from the records, differences from the users, and words from both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.board.render import render
from bench.comparison.pairing import runs
from bench.comparison.reading import measured, of_defenses, of_runs
from bench.comparison.table import CompareRow, compare_table
from bench.errors import UserError
from bench.records.record import Metric, Named
from bench.types import Flag, FlagCode

Plant = Callable[..., Path]


def first(count: int, users: int = 20) -> list[bool]:
    """The first `count` users are found."""
    return [i < count for i in range(users)]


def mask(count: int | None, of: int = 20, **changes: Any) -> dict[str, Any]:
    return {"found": None if count is None else first(count, of), **changes}


def noise(count: int, of: int = 20, **changes: Any) -> dict[str, Any]:
    return mask(count, of, defense=Named(name="noise"), surrogate=[], knowledge="none", **changes)


def defenses(folder: Path, *names: str, every: bool = False) -> tuple[CompareRow, ...]:
    pairing, *users = of_defenses([folder], *names)
    return compare_table(pairing, *users, every=every).rows


def runs_of(before: Path, after: Path, *, every: bool = False) -> tuple[CompareRow, ...]:
    pairing, *users = of_runs(str(before), str(after))
    return compare_table(pairing, *users, every=every).rows


def test_users_who_changed_sides_are_counted_and_the_difference_is_first_less_second(plant: Plant) -> None:
    (row,) = defenses(plant("run", mask(4), noise(12)), "mask", "noise")
    assert (row.first_rate, row.second_rate, row.difference.value) == (0.2, 0.6, pytest.approx(-0.4))
    assert (row.first_only, row.second_only, row.users) == (0, 8, 20)
    # eight users, all on one side: 2 / 2^8
    assert row.p == row.p_holm == pytest.approx(2 / 2**8)
    assert row.apart
    (back,) = defenses(plant("again", mask(4), noise(12)), "noise", "mask")
    assert (back.first_only, back.second_only, back.difference.value) == (8, 0, pytest.approx(0.4))


def test_holm_covers_the_tracks_of_the_table(plant: Plant) -> None:
    cells = [
        one for budget in ("linf:4", "linf:8") for one in (mask(4, budget=budget), noise(12, budget=budget))
    ]
    rows = defenses(plant("run", *cells), "mask", "noise")
    assert [row.budget for row in rows] == ["linf:4", "linf:8"]
    assert [row.p_holm for row in rows] == [pytest.approx(2 * 2 / 2**8)] * 2


def test_a_small_difference_is_a_tie_that_says_how_many_users_would_settle_it(plant: Plant) -> None:
    folder = plant("run", mask(4), noise(6))
    (row,) = defenses(folder, "mask", "noise")
    assert not row.apart
    assert row.users_needed is not None and row.users_needed > 60
    pairing, *users = of_defenses([folder], "mask", "noise")
    (words,) = compare_table(pairing, *users).notes
    assert "noise cannot tell mask from noise" in words
    assert f"About {row.users_needed} users would show a difference of this size." in words


def test_by_the_strongest_of_each_and_with_every_by_any_and_by_attack(plant: Plant) -> None:
    hdbscan = Named(name="hdbscan")
    late = {"attacker": hdbscan, "found": [i >= 14 for i in range(20)]}
    folder = plant("run", mask(4), late, noise(12), noise(2, attacker=hdbscan))
    (row,) = defenses(folder, "mask", "noise")
    assert (row.by, row.attack, row.first_rate, row.second_rate) == (
        "max",
        "hdbscan / net; dbscan / net",
        0.3,
        0.6,
    )
    rows = defenses(folder, "mask", "noise", every=True)
    assert [r.by for r in rows] == ["max", "any", "attack", "attack"]
    assert rows[1].first_rate == 0.5  # 4 by one attack, 6 others by the other
    assert {r.attack: r.first_rate for r in rows[2:]} == {"dbscan / net": 0.2, "hdbscan / net": 0.3}


def test_the_attackers_own_choice_is_the_headline(plant: Plant) -> None:
    def own(value: float) -> dict[str, Metric]:
        return {"cfr": Metric(value=value, low=0, high=1, n=9, better="lower")}

    weaker: dict[str, Any] = {"attacker": Named(name="hdbscan"), "level": "adaptive", "own_cloaks": own(0.9)}
    better: dict[str, Any] = {"level": "adaptive", "own_cloaks": own(0.5)}
    cells = [mask(10, **better), mask(3, **weaker), noise(20, **better), noise(9, **weaker)]
    (row,) = defenses(plant("run", *cells), "mask", "noise")
    assert (row.by, row.first_rate, row.second_rate) == ("chosen", 0.15, 0.45)


def test_only_defenses_against_the_same_surrogate_meet(plant: Plant) -> None:
    other: dict[str, Any] = {"defense": Named(name="other"), "surrogate": [Named(name="else")]}
    with pytest.raises(UserError, match="mask and other share no cell"):
        defenses(plant("run", mask(4), mask(4, **other)), "mask", "other")
    with pytest.raises(UserError, match=r"no defense 'nois'\. Did you mean 'noise'"):
        defenses(plant("more", mask(4), noise(4)), "mask", "nois")


def test_two_variants_of_one_defense(plant: Plant) -> None:
    def variant(steps: int, count: int) -> dict[str, Any]:
        return mask(count, defense=Named(name="mask", parameters={"steps": steps, "margin": 0.1}))

    (row,) = defenses(plant("run", variant(10, 15), variant(20, 3)), "mask:steps=10", "mask:steps=20")
    assert (row.first, row.second, row.apart) == ("mask:steps=10", "mask:steps=20", True)


def test_figures_where_more_is_better_keep_their_direction(plant: Plant) -> None:
    knn: dict[str, Any] = {"attacker": Named(name="knn"), "figure": "psr1", "scenario": Named(name="linked")}
    rates = [[0.9] * 20, [0.2 + 0.01 * i for i in range(20)]]
    folder = plant("run", {**knn, "found": rates[0]}, {**noise(0), **knn, "found": rates[1]})
    (row,) = defenses(folder, "mask", "noise")
    assert row.difference.value == pytest.approx(0.9 - 0.295)
    assert row.difference.low is not None and row.difference.low > 0
    pairing, *users = of_defenses([folder], "mask", "noise")
    assert "mask protects better than noise" in compare_table(pairing, *users).notes[0]


def test_photos_that_are_not_ok_count_at_worst(plant: Plant) -> None:
    poison = {"figure": "protection_rate", "attacker": Named(name="knn"), "scenario": Named(name="poisoning")}
    worst = {**poison, "found": [1.0] * 20, "outcome": "cloak_failed"}
    (row,) = defenses(plant("run", worst, {**noise(0), **poison, "found": [0.5] * 20}), "mask", "noise")
    assert row.first_rate == 0


def test_two_runs_of_the_same_words_meet_though_a_default_changed(plant: Plant) -> None:
    def run(steps: int, count: int) -> dict[str, Any]:
        return mask(count, defense=Named(name="mask", parameters={"steps": steps}))

    (row,) = runs_of(plant("before", run(20, 2)), plant("after", run(10, 15)))
    assert (row.first, row.second) == ("mask:steps=20", "mask:steps=10")
    assert (row.first_only, row.second_only) == (0, 13)


def test_parameters_tell_cells_of_one_name_apart(plant: Plant) -> None:
    def cell(selection: str, grid: int, count: int) -> dict[str, Any]:
        attacker = Named(name="hdbscan", parameters={"selection": selection, "grid": grid})
        return mask(count, attacker=attacker)

    before = plant("before", cell("eom", 1, 3), cell("leaf", 1, 9))
    after = plant("after", cell("leaf", 2, 9), cell("eom", 2, 3))
    rows = runs_of(before, after, every=True)
    assert [row.difference.value for row in rows] == [0] * len(rows)
    one = plant("one", cell("leaf", 2, 9))
    pairing = runs(measured(before)[0], measured(one)[0])
    assert (len(pairing.pairs), len(pairing.alone), len(pairing.new)) == (1, 1, 0)


def test_cells_that_only_one_run_has_are_named(plant: Plant) -> None:
    pairing, *users = of_runs(str(plant("before", mask(2), noise(3))), str(plant("after", mask(2))))
    assert compare_table(pairing, *users).notes[-1] == "1 cells are in the first run only (noise)."


def test_other_users_are_refused(plant: Plant) -> None:
    others = [f"stranger {i}" for i in range(20)]
    with pytest.raises(UserError, match="are not about the same users: 0 of 20 and 20 are in both"):
        runs_of(plant("before", mask(2)), plant("after", mask(2, users=others)))


def test_failed_cells_leave_a_gap_and_nothing_at_all_is_an_error(plant: Plant) -> None:
    hdbscan = Named(name="hdbscan")
    before, after = (
        plant("before", mask(2), mask(2, attacker=hdbscan)),
        plant("after", mask(2), mask(None, attacker=hdbscan)),
    )
    (row,) = runs_of(before, after)
    assert (row.by, row.missing) == ("attack", ("hdbscan / net",))
    with pytest.raises(UserError, match="no two cells with a result belong together"):
        runs_of(before, plant("broken", mask(None), mask(None, attacker=hdbscan)))


def test_several_draws_count_users_once(plant: Plant) -> None:
    cells = [one for draw in range(5) for one in (mask(4, draw=draw), noise(12, draw=draw))]
    (row,) = defenses(plant("run", *cells), "mask", "noise")
    assert (row.users, row.draws, row.first_only, row.second_only) == (20, 5, 0, 40)


def test_one_user_is_no_evidence(plant: Plant) -> None:
    (row,) = defenses(plant("run", mask(0, 1), noise(1, 1)), "mask", "noise")
    assert (row.apart, row.p, row.difference.value) == (False, 1.0, -1.0)


def test_flags_are_remarks(plant: Plant) -> None:
    over = [Flag(FlagCode.OUT_OF_BUDGET, "by 3")]
    (row,) = defenses(plant("run", mask(4, flags=over), noise(12)), "mask", "noise")
    assert row.remarks == ("the first is out of budget in 1 of 1 cells",)


def test_hostile_names_stay_text(plant: Plant) -> None:
    bad = Named(name="<script>|\n::error::\x1b[31m")
    folder = plant("run", mask(4, defense=bad), noise(12))
    pairing, *users = of_defenses([folder], bad.name, "noise")
    table = compare_table(pairing, *users)
    for kind in ("text", "md"):
        text = render(kind, table)
        assert "\x1b" not in text
    assert "<script>" not in render("md", table)
    assert not [line for line in render("text", table).splitlines() if line.startswith("::")]


def test_a_wrong_path_says_how_to_name_defenses(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="bench compare mask noise --records DIR"):
        of_runs("mask", "noise")
