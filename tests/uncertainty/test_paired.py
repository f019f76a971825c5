"""Two defenses on the same users: exact tests, ties that are printed as ties."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.uncertainty.intervals import wilson
from bench.uncertainty.paired import compare, holm, mcnemar, rank_rows


def formed(count: int, users: int = 100, draws: int = 1, attackers: int = 1) -> np.ndarray:
    """The first `count` users form a cluster, whatever the draw and the attacker."""
    return np.tile(np.arange(users) < count, (attackers, draws, 1))


def test_mcnemar_counts_only_users_on_whom_the_two_differ() -> None:
    # 5 against 1 of 6: two-sided 2 (C(6,0) + C(6,1)) / 2^6 = 14/64
    first = np.array([True] * 5 + [False] + [True] * 20 + [False] * 20)
    second = np.array([False] * 5 + [True] + [True] * 20 + [False] * 20)
    assert mcnemar(first, second) == (5, 1, pytest.approx(14 / 64))
    assert mcnemar(second, first).p == mcnemar(first, second).p


def test_users_who_agree_tell_nothing() -> None:
    same = np.array([True, False, True])
    assert mcnemar(same, same) == (0, 0, 1.0)


@pytest.mark.parametrize(
    ("first", "second"), [([True], [True, False]), ([], []), ([1, 0], [0, 1]), ([[True]], [[True]])]
)
def test_mcnemar_refuses_what_is_not_paired(first: Any, second: Any) -> None:
    with pytest.raises(ValueError, match="two equally long lists of booleans"):
        mcnemar(np.array(first), np.array(second))


def test_a_difference_is_first_less_second_with_mcnemar_in_one_draw() -> None:
    found = compare(formed(10), formed(40))
    assert found.difference == pytest.approx(-0.3)
    assert found.high < 0 and not found.tied
    assert (found.test, found.first_only, found.second_only) == ("mcnemar", 0, 30)
    assert found.p == pytest.approx(2 * 0.5**30)
    back = compare(formed(40), formed(10))
    assert (back.difference, back.p) == (pytest.approx(0.3), found.p)


def test_pairing_makes_the_interval_narrower_than_two_apart() -> None:
    # the same 30 users and two more: the difference is certain to a few points, either rate only to nine
    found = compare(formed(32), formed(30))
    assert found.high - found.low < (wilson(30, 100).high - wilson(30, 100).low) / 2
    assert found.tied


def test_five_users_who_differ_are_no_evidence_and_six_are() -> None:
    assert compare(formed(35), formed(30)).tied
    assert not compare(formed(36), formed(30)).tied


def test_the_strongest_attacker_of_each_counts() -> None:
    first = np.concatenate([formed(10), formed(50)])
    second = np.concatenate([formed(30), formed(20), formed(0)])
    assert compare(first, second).difference == pytest.approx(0.2)


def test_no_difference_at_all_is_still_uncertain() -> None:
    found = compare(formed(20), formed(20))
    assert (found.difference, found.p, found.tied) == (0.0, 1.0, True)
    assert (found.low, found.high) == (-wilson(0, 100).high, wilson(0, 100).high)


def test_the_same_users_again_in_more_draws_are_no_more_evidence() -> None:
    once, five = compare(formed(10), formed(22)), compare(formed(10, draws=5), formed(22, draws=5))
    assert five.test == "t"
    assert five.high - five.low == pytest.approx(once.high - once.low, rel=0.15)


def test_draws_that_disagree_about_who_is_better_are_a_tie() -> None:
    first, second = formed(20, draws=4), formed(20, draws=4)
    first[0, :2, 20:60] = True
    second[0, 2:, 20:61] = True
    assert compare(first, second).tied


def test_rates_of_users_can_be_compared_too() -> None:
    rng = np.random.Generator(np.random.Philox(0))
    easy = rng.random((1, 1, 200))
    found = compare(easy, np.clip(easy - 0.1, 0, 1))
    assert found.test == "t"
    assert 0.08 < found.low < found.high < 0.1


@pytest.mark.parametrize(
    ("first", "second", "line"),
    [
        (formed(1), formed(1, users=90), "same draws and users"),
        (formed(1)[0], formed(1), r"must be \[attacker, draw, user\]"),
        (formed(1) * 2.0, formed(1), "must lie in"),
        (formed(1) * np.nan, formed(1), "not finite"),
    ],
)
def test_bad_comparisons_are_refused(first: Any, second: Any, line: str) -> None:
    with pytest.raises(ValueError, match=line):
        compare(first, second)


def test_holm_by_hand() -> None:
    # sorted .01 .02 .04 times 3 2 1: .03 .04 .04
    assert holm([0.04, 0.01, 0.02]).tolist() == pytest.approx([0.04, 0.03, 0.04])
    # never falls again: .02 × 2 = .04, then .03 × 1 = .03 -> .04
    assert holm([0.02, 0.03]).tolist() == pytest.approx([0.04, 0.04])
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]
    assert holm([]).tolist() == []


@given(st.lists(st.floats(0, 1), max_size=20))
def test_holm_lies_between_nothing_and_bonferroni(p: list[float]) -> None:
    corrected = holm(p)
    assert (corrected >= np.array(p)).all()
    assert (corrected <= np.minimum(1, np.array(p) * len(p)) + 1e-12).all()


@pytest.mark.parametrize("p", [[1.1], [float("nan")], [[0.1]]])
def test_holm_refuses_what_is_no_p(p: Any) -> None:
    with pytest.raises(ValueError, match="p-values"):
        holm(p)


def test_ranks_that_noise_cannot_tell_apart_are_ranges() -> None:
    # 5 and 8 of 100 are a tie, 50 is worse than both
    found = rank_rows({"a": formed(5), "b": formed(50), "c": formed(8)})
    assert {name: str(rank) for name, rank in found.ranks.items()} == {"a": "1-2", "b": "3", "c": "1-2"}
    assert found.ranks["a"].tied_with == ("c",)
    assert found.ranks["b"].tied_with == ()
    assert found.corrected["a", "b"] <= 0.05 < found.corrected["a", "c"]


def test_ties_are_not_passed_on() -> None:
    # 10 and 15, 15 and 20 cannot be told apart (5 users differ); 10 and 20 can
    found = rank_rows({"a": formed(10), "b": formed(15), "c": formed(20)})
    assert found.ranks["a"].tied_with == ("b",)
    assert found.ranks["b"].tied_with == ("a", "c")
    assert [str(rank) for rank in found.ranks.values()] == ["1-2", "1-3", "2-3"]


def test_many_comparisons_ask_for_more() -> None:
    # 6 users of 100 differ, all one way: p = 2/64 = .03 alone, and a tie among more rows
    alone = rank_rows({"a": formed(20), "b": formed(26)})
    assert alone.ranks["a"].tied_with == ()
    among = rank_rows({"a": formed(20), "b": formed(26), "c": formed(23), "d": formed(24)})
    assert "b" in among.ranks["a"].tied_with


def test_one_row_is_first_and_none_is_an_error() -> None:
    assert str(rank_rows({"a": formed(5)}).ranks["a"]) == "1"
    with pytest.raises(ValueError, match="no rows"):
        rank_rows({})
    with pytest.raises(ValueError, match="row b: an outcome is not finite"):
        rank_rows({"a": formed(5), "b": np.full((1, 1, 100), np.nan)})
