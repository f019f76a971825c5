"""One line: what was asked, what it resembles, what to type."""

from __future__ import annotations

import pytest

from bench.errors import UserError, unknown_name
from bench.types import BUDGETS, Budget, BudgetKind, PluginCard


def test_the_nearest_name_is_offered() -> None:
    said = str(unknown_name("defense", "nois", ["none", "noise", "blur"], command="bench list defenses"))
    assert said == "no defense 'nois'. Did you mean 'noise'? 'bench list defenses' names all."


def test_nothing_is_offered_where_nothing_is_near() -> None:
    said = str(unknown_name("defense", "xyzzy", ["none", "noise"], command="bench list defenses"))
    assert said == "no defense 'xyzzy'. 'bench list defenses' names all."


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("linf:8", "linf", 8),
        ("linf:0.5", "linf", 0.5),
        ("linf:255", "linf", 255),
        ("dssim:0.004", "dssim", 0.004),
        ("dssim:0.5", "dssim", 0.5),
        ("ssim:0.95", "ssim", 0.95),
        ("ssim:0.9999999", "ssim", 0.9999999),
    ],
)
def test_a_budget_is_written_as_it_is_read(text: str, kind: str, value: float) -> None:
    budget = Budget.parse(text)
    assert (budget.kind, budget.value) == (kind, value)
    assert str(budget) == text


@pytest.mark.parametrize(("text", "form"), [("linf:8.0", "linf:8"), ("dssim:4e-3", "dssim:0.004")])
def test_one_budget_has_one_form(text: str, form: str) -> None:
    assert str(Budget.parse(text)) == form


@pytest.mark.parametrize("kind", BUDGETS.values(), ids=str)
def test_the_example_of_a_kind_is_one(kind: BudgetKind) -> None:
    assert BUDGETS[Budget.parse(kind.example).kind] is kind


def test_no_limit() -> None:
    assert Budget.parse("unbounded").kind == "unbounded"
    assert str(Budget.parse("unbounded")) == "unbounded"


@pytest.mark.parametrize(
    "text", ["0", "-1", "8", "", "linf", "linf:", "linf:abc", "linf:0", "linf:-1", "linf:nan", "linf:inf",
             "linf:256", "l2:3", "unbounded:3", "LINF:8", "dssim", "dssim:0", "dssim:0.51", "dssim:-1",
             "dssim:nan", "dssim:x", "ssim:2", "ssim:0", "ssim:1", "ssim:"],
)  # fmt: skip
def test_budgets_that_are_none(text: str) -> None:
    with pytest.raises(UserError) as caught:
        Budget.parse(text)
    assert repr(text) in str(caught.value)
    kind = BUDGETS.get(text.partition(":")[0], BUDGETS["linf"])
    assert f"Try {kind.example}." in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_card_says_which_budgets_a_defense_keeps() -> None:
    assert PluginCard("", "").keeps == ("linf",)
    assert PluginCard("", "", budgets=("dssim", "ssim")).keeps == ("dssim", "ssim")
    assert PluginCard("", "", bounded=False).keeps == ()
