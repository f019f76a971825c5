"""One line: what was asked, what it resembles, what to type."""

from __future__ import annotations

import pytest

from bench.errors import UserError, unknown_name
from bench.types import Budget


def test_the_nearest_name_is_offered() -> None:
    said = str(unknown_name("defense", "nois", ["none", "noise", "blur"], command="bench list defenses"))
    assert said == "no defense 'nois'. Did you mean 'noise'? 'bench list defenses' names all."


def test_nothing_is_offered_where_nothing_is_near() -> None:
    said = str(unknown_name("defense", "xyzzy", ["none", "noise"], command="bench list defenses"))
    assert said == "no defense 'xyzzy'. 'bench list defenses' names all."


@pytest.mark.parametrize(("text", "value"), [("linf:8", 8), ("linf:0.5", 0.5), ("linf:255", 255)])
def test_budgets(text: str, value: float) -> None:
    budget = Budget.parse(text)
    assert (budget.kind, budget.value) == ("linf", value)
    assert Budget.parse(str(budget)) == budget


def test_no_limit() -> None:
    assert Budget.parse("unbounded").kind == "unbounded"
    assert str(Budget.parse("unbounded")) == "unbounded"


@pytest.mark.parametrize(
    "text", ["0", "-1", "8", "", "linf", "linf:", "linf:abc", "linf:0", "linf:-1", "linf:nan", "linf:inf",
             "linf:256", "ssim:2", "l2:3", "unbounded:3", "LINF:8"],
)  # fmt: skip
def test_budgets_that_are_none(text: str) -> None:
    with pytest.raises(UserError) as caught:
        Budget.parse(text)
    assert repr(text) in str(caught.value)
    assert "Try linf:8" in str(caught.value)
    assert "\n" not in str(caught.value)
