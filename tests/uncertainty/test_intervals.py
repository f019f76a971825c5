"""Intervals: the protocol's check values, scipy as the second opinion, and the variance of a mean by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from bench.uncertainty.intervals import (
    CONFIDENCE,
    LEVEL,
    clopper_pearson,
    cross,
    rate_interval,
    spread,
    t_quantile,
    wilson,
)


@pytest.mark.parametrize(("n", "points"), [(50, 13.4), (100, 9.6), (200, 6.9), (500, 4.4)])
def test_half_width_at_rate_one_half_is_the_protocols(n: int, points: float) -> None:
    low, high = wilson(n // 2, n)
    assert round(100 * (high - low) / 2, 1) == points


@pytest.mark.parametrize(("n", "points"), [(50, 7.1), (100, 3.7), (200, 1.9), (500, 0.8)])
def test_upper_bound_with_no_event_is_the_protocols(n: int, points: float) -> None:
    low, high = wilson(0, n)
    assert low == 0.0
    assert round(100 * high, 1) == points


@settings(max_examples=60)
@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_whole_counts_agree_with_scipy(case: tuple[int, int], confidence: float) -> None:
    successes, n = case
    expected = binomtest(successes, n).proportion_ci(confidence, method="wilson")
    assert wilson(successes, n, confidence) == pytest.approx((expected.low, expected.high), abs=1e-12)


@settings(max_examples=60)
@given(st.integers(1, 500), st.floats(0, 1))
def test_the_rate_lies_in_its_own_interval(n: int, rate: float) -> None:
    low, high = wilson(rate * n, n)
    assert 0 <= low <= rate * n / n <= high <= 1


def test_a_fractional_count_lies_between_its_whole_neighbours() -> None:
    lows, highs = zip(*(wilson(count, 20) for count in (7, 7.5, 8)), strict=True)
    assert list(lows) == sorted(lows) and list(highs) == sorted(highs)
    assert len({*lows}) == 3


@pytest.mark.parametrize(
    ("successes", "n", "confidence"),
    [(0, 0, 0.95), (-1, 5, 0.95), (6, 5, 0.95), (float("nan"), 5, 0.95), (1, 5, 1.0), (1, 5, 0.0)],
)
def test_nonsense_is_refused(successes: float, n: int, confidence: float) -> None:
    with pytest.raises(ValueError, match=r"unit|successes|confidence"):
        wilson(successes, n, confidence)


@settings(max_examples=60)
@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_the_exact_interval_agrees_with_scipy_and_its_upper_end_with_the_definition(
    case: tuple[int, int], confidence: float
) -> None:
    successes, n = case
    expected = binomtest(successes, n).proportion_ci(confidence, method="exact")
    found = clopper_pearson(successes, n, confidence)
    assert found == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_after_no_event_the_exact_bound_is_the_textbooks() -> None:
    # (1 - p)^100 = .025 -> p = 1 - .025^(1/100)
    assert clopper_pearson(0, 100).high == pytest.approx(1 - 0.025 ** (1 / 100))
    assert clopper_pearson(0, 100).low == 0.0
    assert clopper_pearson(100, 100).high == 1.0


@pytest.mark.parametrize(
    ("successes", "n", "line"),
    [(0.5, 5, "whole counts"), (0, 0, "at least one unit"), (6, 5, "between 0 and n")],
)
def test_the_exact_interval_refuses_nonsense(successes: Any, n: int, line: str) -> None:
    with pytest.raises(ValueError, match=line):
        clopper_pearson(successes, n)


def test_components_of_a_full_table_are_those_of_the_analysis_of_variance() -> None:
    # Users in columns: 2 df for users, 1 for draws, 2 for the rest.
    board = np.array([[0.0, 1.0, 3.0], [1.0, 3.0, 3.0]])
    found = spread(board)
    mean = board.mean()
    ms_users = 2 * ((board.mean(0) - mean) ** 2).sum() / 2
    ms_draws = 3 * ((board.mean(1) - mean) ** 2).sum() / 1
    ms_rest = (((board - mean) ** 2).sum() - 2 * ms_users - ms_draws) / 2
    assert found.rest == pytest.approx(ms_rest)
    assert found.user == pytest.approx((ms_users - ms_rest) / 2)
    assert found.draw == pytest.approx((ms_draws - ms_rest) / 3)
    assert found.variance == pytest.approx((ms_users + ms_draws - ms_rest) / 6)


def test_with_other_users_in_every_draw_the_variance_is_that_of_the_draws_rates() -> None:
    # Draw rates 2/4, 1/4, 3/4: the mean of three, so their sample variance over three.
    board = np.zeros((3, 12), bool)
    present = np.repeat(np.eye(3, dtype=bool), 4, 1)
    board[0, :2] = board[1, 4] = board[2, 8:11] = True
    found = spread(board, present)
    assert found.mean == 0.5
    assert found.variance == pytest.approx(np.var([0.5, 0.25, 0.75], ddof=1) / 3)
    assert found.df == pytest.approx(2, abs=0.2)
    assert (found.users, found.draws, found.pairs) == (12, 3, 12)


def test_users_who_never_change_are_one_outcome_each_however_many_draws() -> None:
    board = np.tile(np.arange(40) < 10, (6, 1))
    found = spread(board)
    assert found.persistence == pytest.approx(1.0)
    assert found.variance == pytest.approx(0.25 * 0.75 / 39)
    assert rate_interval(board) == pytest.approx(wilson(10, 40), abs=0.02)


def test_components_come_back_on_average_when_draws_share_half_their_users() -> None:
    rng = np.random.Generator(np.random.Philox(0))
    present = np.zeros((6, 60), bool)
    for row in present:
        row[rng.permutation(60)[:30]] = True
    found = []
    for _ in range(600):
        board = rng.normal(0, 2, 60) + rng.normal(0, 1, (6, 1)) + rng.normal(0, 1.5, (6, 60))
        found.append(spread(board, present))
    assert np.mean([f.user for f in found]) == pytest.approx(4, rel=0.1)
    assert np.mean([f.draw for f in found]) == pytest.approx(1, rel=0.15)
    assert np.mean([f.rest for f in found]) == pytest.approx(2.25, rel=0.1)
    assert np.mean([f.variance for f in found]) == pytest.approx(np.var([f.mean for f in found]), rel=0.15)


def test_one_draw_has_wilsons_interval() -> None:
    board = np.arange(50) < 7
    assert rate_interval(board[None]) == wilson(7, 50)


@pytest.mark.parametrize("event", [False, True])
def test_without_any_variation_distinct_users_are_the_units(event: bool) -> None:
    assert rate_interval(np.full((5, 100), event)) == wilson(100 * event, 100)


def test_draws_that_differ_widen_the_interval_and_few_of_them_more() -> None:
    alike = np.tile(np.arange(100) < 30, (5, 1))
    differing = np.arange(100) < np.array([[10], [20], [30], [40], [50]])
    calm, wild = rate_interval(alike), rate_interval(differing)
    assert alike.mean() == differing.mean() == 0.3
    assert wild.high - wild.low > 1.5 * (calm.high - calm.low)
    # about t with 4 degrees of freedom, times the standard error of five draws' mean
    half = t_quantile(0.95, 4) * np.sqrt(np.var([0.1, 0.2, 0.3, 0.4, 0.5], ddof=1) / 5)
    assert (wild.high - wild.low) / 2 == pytest.approx(half, rel=0.15)


def test_an_interval_of_draws_that_agree_by_chance_is_no_point() -> None:
    # every user in one of two draws, both draws with the same rate: no variance between draws at all
    board = np.zeros((2, 40), bool)
    board[0, :10] = board[1, 10:20] = True
    low, high = rate_interval(board)
    assert low < 0.2 and high > 0.3


@pytest.mark.parametrize(
    ("outcomes", "present", "line"),
    [
        ([0, 1], None, "must be numbers \\[draw, user\\]"),
        ([["a", "b"]], None, "must be numbers"),
        ([[0.0, float("nan")]], None, "not finite: a missing one must not be averaged away"),
        ([[0, 1]], [[1, 1]], "booleans"),
        ([[0, 1]], [[False, False]], "nobody is present"),
        ([[0, 1], [1, 0]], [[True, True], [False, False]], "draw 1 has no users"),
        ([[0, 2]], None, "must lie in"),
    ],
)
def test_boards_that_make_no_sense_are_refused(outcomes: Any, present: Any, line: str) -> None:
    with pytest.raises(ValueError, match=line) as error:
        rate_interval(outcomes, None if present is None else np.array(present))
    assert "\n" not in str(error.value)


def test_what_is_not_present_is_not_looked_at() -> None:
    board = np.array([[1.0, 0.0, np.nan], [0.0, 1.0, 1.0]])
    present = np.array([[True, True, False], [True, True, True]])
    assert spread(board, present).mean == pytest.approx(3 / 5)
    with pytest.raises(ValueError, match="two users"):
        spread([[1.0], [0.0]])


def test_a_list_becomes_a_table() -> None:
    made = cross([1, 0, 1], ["b", "a", "a"], [1, 0, 1])
    assert made.present.tolist() == [[True, False], [True, True]]
    assert np.isnan(made.outcomes[0, 1])
    assert (made.draws.tolist(), made.users.tolist()) == ([0, 1], ["a", "b"])
    assert spread(made.outcomes, made.present).mean == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="in one draw twice"):
        cross([0, 0], ["a", "a"], [1, 1])
    with pytest.raises(ValueError, match="for each row"):
        cross([0], ["a", "b"], [1, 1])


def test_tests_are_as_strict_as_intervals_are_wide() -> None:
    assert pytest.approx(1) == CONFIDENCE + LEVEL
