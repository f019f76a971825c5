"""Users who changed sides: the interval covers, and the number of users is the smallest that shows it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from bench.uncertainty.changed import compare_users, score_interval, users_needed
from bench.uncertainty.intervals import wilson
from bench.uncertainty.paired import compare
from bench.uncertainty.power import mcnemar_power, smallest_detectable_difference, t_power


def score_by_search(first_only: int, second_only: int, users: int, supposed: float) -> float:
    """Tango's statistic, with the nuisance probability found by a search instead of its formula."""
    same = users - first_only - second_only

    def unlikely(second: float) -> float:
        parts = np.array([second + supposed, second, 1 - 2 * second - supposed])
        return -float((np.array([first_only, second_only, same]) * np.log(np.maximum(parts, 1e-300))).sum())

    low, high = max(0.0, -supposed), (1 - supposed) / 2
    second = float(optimize.minimize_scalar(unlikely, bounds=(low, high), options={"xatol": 1e-12}).x)
    variance = users * (2 * second + supposed - supposed**2)
    return (first_only - second_only - users * supposed) ** 2 / variance


@pytest.mark.parametrize(("first_only", "second_only", "users"), [(12, 2, 50), (5, 3, 20), (1, 9, 60)])
def test_the_score_test_is_at_its_level_at_both_ends(first_only: int, second_only: int, users: int) -> None:
    for end in score_interval(first_only, second_only, users):
        score = score_by_search(first_only, second_only, users, end)
        assert score == pytest.approx(stats.chi2.ppf(0.95, 1), rel=1e-4)


@pytest.mark.parametrize("users", [1, 20, 60])
def test_after_no_change_it_is_as_wide_as_wilsons_after_no_event(users: int) -> None:
    low, high = score_interval(0, 0, users)
    assert -low == pytest.approx(high) == pytest.approx(wilson(0, users).high)


@given(st.integers(1, 80).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(0, n))))
def test_it_holds_the_difference_and_turns_with_the_sides(counts: tuple[int, int, int]) -> None:
    users, first_only, second_only = counts
    second_only = min(second_only, users - first_only)
    low, high = score_interval(first_only, second_only, users)
    assert -1 <= low <= (first_only - second_only) / users <= high <= 1
    assert score_interval(second_only, first_only, users) == pytest.approx((-high, -low), abs=1e-6)


@pytest.mark.parametrize(
    ("users", "first", "second"),
    [(20, 0.05, 0.05), (20, 0.1, 0.0), (20, 0.2, 0.05), (60, 0.1, 0.1), (60, 0.02, 0.02)],
)
def test_it_covers_the_difference_19_times_in_20_by_enumeration(
    users: int, first: float, second: float
) -> None:
    covered = 0.0
    for a in range(users + 1):
        for b in range(users + 1 - a):
            chance = stats.multinomial.pmf([a, b, users - a - b], users, [first, second, 1 - first - second])
            if chance > 1e-9:
                low, high = score_interval(a, b, users)
                covered += chance * (low <= first - second + 1e-9 and first - second <= high + 1e-9)
    assert covered >= 0.95


@pytest.mark.parametrize("counts", [(-1, 0, 5), (3, 3, 5), (0, 0, 0)])
def test_counts_that_cannot_be_are_refused(counts: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="are no counts of"):
        score_interval(*counts)


def rows(*counts: int, users: int = 20, draws: int = 1) -> np.ndarray:
    return np.stack([np.tile(np.arange(users) < n, (draws, 1)) for n in counts]).astype(float)


def test_one_attack_in_one_draw_has_the_score_interval_and_mcnemars_p() -> None:
    found = compare_users(rows(12), rows(4))
    assert (found.first_only, found.second_only, found.test) == (8, 0, "mcnemar")
    assert (found.low, found.high) == score_interval(8, 0, 20)
    assert found.p == pytest.approx(2 / 2**8)


@pytest.mark.parametrize(("first", "second"), [(rows(12, 3), rows(4)), (rows(12, draws=5), rows(4, draws=5))])
def test_panels_and_draws_have_the_bootstrap(first: np.ndarray, second: np.ndarray) -> None:
    assert compare_users(first, second) == compare(first, second)


def test_one_user_is_no_evidence() -> None:
    found = compare_users(rows(1, users=1), rows(0, users=1))
    assert (found.difference, found.p, found.low, found.high) == (1, 1, -1, 1)


@pytest.mark.parametrize(("first", "second"), [(0.1, 0.0), (0.05, 0.25), (0.3, 0.2)])
def test_the_number_of_users_shows_it_and_one_less_does_not(first: float, second: float) -> None:
    users = users_needed(first, second)
    assert users is not None
    assert mcnemar_power(users, first, second) >= 0.8 > mcnemar_power(users - 1, first, second)


def test_no_difference_needs_no_number_of_users() -> None:
    assert users_needed(0.2, 0.2) is None
    assert users_needed(0.2, 0.2 - 1e-4) is None  # more than anybody has


def test_what_has_to_be_exceeded_besides_is_in_the_power() -> None:
    # of 10 users with one-sided changes 6 are evidence; beyond a half, 6 of 10 are, and beyond .6 it takes 7
    assert mcnemar_power(10, 0.6, 0, beyond=0.5) == mcnemar_power(10, 0.6, 0)
    by_hand = stats.binom.sf(6, 10, 0.6)
    assert mcnemar_power(10, 0.6, 0, beyond=0.6) == pytest.approx(by_hand)
    assert t_power(40, 0.4, 0.1, beyond=0.3) < t_power(40, 0.4, 0.1)
    assert smallest_detectable_difference(60, beyond=0.1) == smallest_detectable_difference(60)
    assert smallest_detectable_difference(60, beyond=0.25) > smallest_detectable_difference(60)
