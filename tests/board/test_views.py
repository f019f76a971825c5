"""What people read of the rows of each view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bench.board import cells, equal_cost, leaders, one_step, panel, views
from bench.board.attackers import AttackerRow
from bench.board.chosen import Choice
from bench.board.further import OF_A_DEFENSE
from bench.board.table import Table
from bench.board.values import Deviation, Range, Strongest, Value
from bench.board.wording import worded, worded_value
from bench.errors import UserError
from bench.records.columns import FURTHER
from bench.records.record import Metric
from bench.types import Flag, FlagCode

WEAK = Flag(FlagCode.WEAK_ATTACKER, "no evidence of protection (clean CFR below 0.8)")


def metric(
    value: float | None,
    low: float | None = None,
    high: float | None = None,
    bounds: tuple[float, float] | None = None,
) -> Metric:
    return Metric(value=value, low=low, high=high, n=20, better="lower", bounds=bounds)


def attack(rate: Metric | None, by: str = "", p: float | None = None, **more: Any) -> Strongest:
    return Strongest(rate, "c", by, p, **({"weak": False, "failed": 0} | more))


USUAL: dict[str, Any] = {row.name: row.before for row in FURTHER}
"""Fields of options that views have no field for themselves."""
CELL = cells.KIND(
    protocol="cloakbench/2",
    **USUAL,
    **dict.fromkeys(("cfr_strict", "cfr_link", "cfr_link_strict", "psr1", "protection_rate", "tar_far_1e3")),
    cell="c",
    status="ok",
    error=None,
    dataset="synthetic",
    scenario="introduced",
    attacker="dbscan",
    level="oblivious",
    encoder="net",
    detector="mtcnn",
    adaptation="none",
    dose=1.0,
    distractors=0,
    seed=0,
    draw=0,
    defense="mask",
    surrogate=("one", "two"),
    knowledge="none",
    budget="linf:8",
    channel="none",
    cfr=metric(1 / 3, 0.1, 0.9),
    cfr_clean=metric(0.987),
    encoder_auc=metric(0.99812),
    ssim=0.91234,
    contamination=0.25,
    not_ok=0,
    flags=(),
)
PANEL = panel.KIND(
    **{row.name: row.before for row in OF_A_DEFENSE},
    protocol="cloakbench/2",
    dataset="synthetic",
    scenario="introduced",
    dose=1.0,
    distractors=0,
    budget="linf:8",
    knowledge="none",
    defense="mask",
    surrogate=(),
    figure="psr1",
    chosen=Choice(metric(0.6, 0.3, 0.9), "svm / net", 1, 0.55, 0.02, weak=True, bound=0.4),
    worst=metric(0.5, 0.25, 1),
    largest=0.45,
    strongest="knn / net",
    strongest_weak=False,
    any=None,
    attackers=2,
    users=20,
    draws=1,
    bound=0.25,
    not_ok=3,
    contamination=None,
    detectable=0.4314,
    ranked_by="chosen",
    rank_first=1,
    rank_last=3,
    missing=("svm / net", "mlp / net"),
    flags=(Flag(FlagCode.WEAK_ATTACKER, "1 of 2 cells"), Flag(FlagCode.OUT_OF_BUDGET, "2 of 2 cells")),
)
STEPS = one_step.KIND(
    **USUAL,
    **dict.fromkeys(("both", "platform", "tuned_on_cloaks", "adapted_encoder", "purifier", "part_cloaked")),
    dataset="synthetic",
    defense="mask",
    surrogate=("net",),
    budget="linf:8",
    distractors=1000,
    draw=0,
    users=20,
    dbscan_on_surrogate=attack(metric(0, 0, 0.16)),
    another_clusterer=attack(metric(0.7, 0.35, 1), "hdbscan", 0.0009, failed=1),
    another_encoder=attack(metric(0.4, 0.2, 1), "other", 0.06),
    anything_same_encoder=attack(metric(0, 0, 1), "photoprism", weak=True),
    anything=attack(None, failed=2),
    named=attack(metric(0.95), "svm"),
    named_another_encoder=None,
    not_ok=0,
    contamination=0.1,
)
ATTACKER = AttackerRow("dbscan", "cfr_link", 12, 3, 0, 2, 5, 0.98765, 0, None)
LEADER = leaders.KIND(
    **{row.name: row.before for row in OF_A_DEFENSE},
    protocol="cloakbench/1",
    dataset="synthetic",
    dose=1.0,
    distractors=0,
    budget="linf:8",
    knowledge="black-box",
    defense="mask",
    surrogate=("net",),
    reference=False,
    rank_first=1,
    rank_last=3,
    ranked_by="chosen",
    chosen=metric(0.6, 0.3, 0.9),
    chosen_weak=True,
    worst=metric(0.7, 0.4, 1),
    worst_weak=False,
    any=metric(0.8, 0.5, 1),
    link_max=metric(0.9),
    psr_min=metric(0.75, 0.5, 1),
    protection_min=metric(0.25),
    broken_by="svm through net, adaptive",
    clean=0.987,
    contamination=0.125,
    ssim=0.91234,
    seconds=0.254,
    not_ok=0,
    attackers=2,
    panel=3,
    users=20,
    draws=1,
    flags=(Flag(FlagCode.WEAK_ATTACKER, "1 of 2 cells"),),
)
COST = equal_cost.KIND(
    **{row.name: row.before for row in OF_A_DEFENSE},
    measure="SSIM",
    cost=0.97,
    protocol="cloakbench/2",
    dataset="synthetic",
    scenario="introduced",
    dose=1.0,
    distractors=0,
    knowledge="black-box",
    defense="mask",
    surrogate=("net",),
    figure="cfr",
    rate=metric(0.6, 0.3, 0.9),
    weak=False,
    below="linf:4",
    above="linf:8",
    least=0.98234,
    most=0.93,
    points=3,
    attackers=2,
    panel=3,
    users=20,
)
ROWS: dict[str, Any] = {
    "cells": CELL,
    "cost": COST,
    "panel": PANEL,
    "steps": STEPS,
    "attackers": ATTACKER,
    "leaders": LEADER,
}


def words(row: Any) -> dict[str, str]:
    """Heading -> what stands below it in the view of this kind of row, where anything does."""
    (view,) = (views.view(name) for name in views.names() if views.view(name).kind is type(row))
    names, (texts,) = worded(Table(view.kind, (row,), view.columns))
    return dict(zip(names, texts, strict=True))


def test_every_view_has_an_example_here() -> None:
    assert sorted(ROWS) == views.names()
    assert {type(row) for row in ROWS.values()} == {views.view(name).kind for name in views.names()}


def test_a_cell() -> None:
    assert words(CELL) == {
        "data set": "synthetic",
        "scenario": "introduced",
        "attacker": "dbscan",
        "encoder": "net",
        "defense": "mask",
        "surrogate": "one+two",
        "budget": "linf:8",
        "channel": "none",
        "CFR [95 %]": "0.33 [0.10, 0.90]",
        "clean CFR": "0.99",
        "encoder AUC": "0.998",
        "SSIM": "0.912",
        "contamination": "0.25",
    }


@pytest.mark.parametrize(
    ("changes", "heading", "text"),
    [
        ({"level": "adaptive"}, "level", "adaptive"),
        ({"adaptation": "head"}, "adaptation", "head"),
        ({"detector": "yunet"}, "detector", "yunet"),
        ({"dose": 0.5}, "dose", "0.5"),
        ({"distractors": 1000}, "distractors", "1000"),
        ({"draw": 2}, "draw", "2"),
        ({"knowledge": "grey-box"}, "knowledge", "grey-box"),
        ({"not_ok": 7}, "not ok", "7"),
        ({"cfr": metric(0.5, 0.1, 0.9, (0.25, 1.0))}, "bounds", "0.25 to 1.00"),
        ({"cfr": None, "psr1": metric(0.5, bounds=(0.0, 0.5))}, "bounds", "0.00 to 0.50"),
        ({"cfr": metric(0.0, 0.0, 0.16)}, "CFR [95 %]", "0.00 [0.00, 0.16]"),
        ({"cfr_link_strict": metric(0.25, 0.1, 0.5)}, "strict", "0.25"),
        ({"flags": (WEAK, WEAK)}, "flags", "weak attacker: no evidence of protection"),
        ({"flags": (WEAK,), "cfr": metric(0.1, 0.0, 0.2)}, "CFR [95 %]", "≥ 0.10 [0.00, 0.20]"),
        (
            {"flags": (Flag(FlagCode.ORACLE, "told the true number of people"), WEAK)},
            "flags",
            "oracle: told the true number of people; weak attacker: no evidence of protection",
        ),
        ({"status": "failed", "error": "ValueError: no"}, "flags", "failed: ValueError: no"),
        ({"status": "skipped", "error": "needs names"}, "flags", "skipped: needs names"),
    ],
)
def test_what_is_unusual_of_a_cell_is_said(changes: dict[str, Any], heading: str, text: str) -> None:
    stated = {name: getattr(CELL, name) for name in cells.KIND.__dataclass_fields__}
    assert heading not in words(CELL) or changes.keys() & {"cfr"}
    assert words(cells.KIND(**(stated | changes)))[heading] == text


def test_an_undefined_figure_is_empty_and_not_zero() -> None:
    stated = {name: getattr(CELL, name) for name in cells.KIND.__dataclass_fields__}
    assert "CFR [95 %]" not in words(cells.KIND(**(stated | {"cfr": metric(None)})))


def test_a_panel() -> None:
    shown = words(PANEL)
    assert shown["figure"] == "PSR@1"
    assert shown["worst [95 %]"] == "0.50 [0.25, 1.00]"
    assert (shown["attackers"], shown["users"], shown["draws"], shown["detectable"]) == (
        "2",
        "20",
        "1",
        "0.43",
    )
    assert shown["rank"] == "1-3"
    assert shown["chosen [95 %]"] == "≤ 0.60 [0.30, 0.90]"  # a weak attacker protects no one
    assert (shown["chosen attacker"], shown["clean"], shown["at worst"]) == ("svm / net", "0.02", "0.40")
    assert shown["missing"] == "svm / net; mlp / net"
    assert shown["flags"] == "1 of 2 cells: weak attacker; out of budget"
    assert "any [95 %]" not in shown


def test_a_leader() -> None:
    shown = words(LEADER)
    assert (shown["rank"], shown["protocol"]) == ("1-3", "cloakbench/1")
    assert shown["chosen [95 %]"] == "≥ 0.60 [0.30, 0.90]"
    assert shown["worst [95 %]"] == "0.70 [0.40, 1.00]"
    assert (shown["any"], shown["link"], shown["learned"]) == ("0.80", "0.90", "0.75")
    assert shown["named [95 %]"] == "0.25 [0.00, 0.50]"  # what a protection rate leaves of 1
    assert (shown["broken by"], shown["clean"]) == ("svm through net, adaptive", "0.99")
    assert (shown["SSIM"], shown["s/photo"], shown["panel"]) == ("0.912", "0.25", "2 of 3")
    assert "not ok" not in shown


def test_a_row_at_equal_cost() -> None:
    shown = words(COST)
    assert (shown["at"], shown["rate [95 %]"]) == ("SSIM 0.97", "0.60 [0.30, 0.90]")
    assert (shown["between"], shown["measured"]) == ("linf:4 and linf:8", "0.982 to 0.930")
    assert shown["panel"] == "2 of 3"
    outside = {name: getattr(COST, name) for name in equal_cost.KIND.__dataclass_fields__}
    assert words(equal_cost.KIND(**(outside | {"weak": True})))["rate [95 %]"] == "≥ 0.60 [0.30, 0.90]"
    shown = words(equal_cost.KIND(**(outside | {"rate": None, "below": "", "above": ""})))
    assert "between" not in shown and "rate [95 %]" not in shown


def test_a_panel_says_in_how_many_draws_an_attacker_was_chosen() -> None:
    stated = {name: getattr(PANEL, name) for name in panel.KIND.__dataclass_fields__}
    assert words(panel.KIND(**(stated | {"draws": 5})))["chosen attacker"] == "svm / net (1 of 5 draws)"


def test_a_weak_attackers_rate_is_a_bound() -> None:
    stated = {name: getattr(PANEL, name) for name in panel.KIND.__dataclass_fields__}
    row = panel.KIND(**(stated | {"figure": "cfr", "strongest_weak": True}))
    assert words(row)["worst [95 %]"] == "≥ 0.50 [0.25, 1.00]"


def test_a_panel_without_a_choice_says_what_to_type() -> None:
    view = views.view("panel")
    stated = {name: getattr(PANEL, name) for name in panel.KIND.__dataclass_fields__}
    (note,) = view.notes([PANEL, panel.KIND(**(stated | {"chosen": None}))])
    assert note.startswith("CFR-chosen (PSR-chosen) is missing in 1 of 2 rows")
    assert "--level adaptive" in note
    assert view.notes([PANEL]) == []


def test_a_panel_without_a_result_says_nothing_of_it() -> None:
    stated = {name: getattr(PANEL, name) for name in panel.KIND.__dataclass_fields__}
    none = dict.fromkeys(("worst", "strongest", "attackers", "users", "draws", "detectable"))
    shown = words(panel.KIND(**(stated | none | {"rank_first": None, "rank_last": None})))
    assert not shown.keys() & {"worst [95 %]", "detectable", "users", "rank"}
    blind = words(panel.KIND(**(stated | {"detectable": None, "rank_last": 1})))
    assert (blind["detectable"], blind["rank"]) == ("none", "1")


def test_steps() -> None:
    shown = words(STEPS)
    assert shown["DBSCAN on the surrogate"] == "0.00 [0.00, 0.16]"
    assert shown["another clusterer"] == "0.70* [0.35, 1.00] (hdbscan, 1 failed)"
    assert shown["another encoder"] == "0.40 [0.20, 1.00] (other)"
    # whose a rate of nobody is says nothing
    assert shown["anything, same encoder"] == "0.00 [0.00, 1.00] (weak)"
    assert shown["anything"] == "(2 failed)"
    assert shown["named among clean photos"] == "0.95 (svm)"
    assert not shown.keys() & {"both", "named through another encoder"}


def test_an_attacker() -> None:
    assert words(ATTACKER) == {
        "attacker": "dbscan",
        "figure": "CFR-link",
        "cells": "12",
        "strongest": "3",
        "alone": "0",
        "chosen": "2 of 5",
        "clean": "0.99",
    }


def test_attackers_that_never_win_are_named() -> None:
    view = views.view("attackers")
    losers = [
        AttackerRow(name, "cfr", 12, 0, 0, chosen, 5, 1.0, 0, 1.0) for name, chosen in (("a", 0), ("b", 1))
    ]
    other = AttackerRow("c", "cfr", 12, 0, 0, None, 0, 1.0, 0, 1.0)
    winner = AttackerRow("c", "psr1", 12, 1, 0, None, 0, 1.0, 0, 1.0)
    assert view.notes([*losers, other, winner]) == ["never the strongest and never chosen, by any figure: a"]
    assert view.notes([winner]) == []


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (None, ".2f", ""),
        ("as it is", ".2f", "as it is"),
        (3, ".2f", "3"),
        (2.0, ".2f", "2.00"),
        (1234.5, ",.0f", "1,234"),
        (0.005, ".2f", "0.01"),
        (metric(0.125, 0.0625, 0.25), ".4f", "0.1250 [0.0625, 0.2500]"),
        (Range(0.1, 1), ".3f", "0.100 to 1.000"),
        (Deviation(0.99, 0.001), ".3f", "0.990 ± 0.001"),
        (Deviation(None, 0.001), ".3f", "not defined ± 0.001"),
    ],
)
def test_a_value_in_words(value: Value, form: str, text: str) -> None:
    assert worded_value(value, form) == text


def test_a_former_name_of_a_view_goes_on_working() -> None:
    assert views.view("falls") is views.view("steps")
    assert "falls" not in views.names()
    with pytest.raises(UserError, match="Did you mean 'steps'"):
        views.checked("step")


@pytest.mark.parametrize("checked", [views.checked, views.view], ids=["checked", "view"])
def test_what_views_share_is_no_view(checked: Callable[[str], object]) -> None:
    with pytest.raises(UserError, match="no view '_settings'"):
        checked("_settings")
