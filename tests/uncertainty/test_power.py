"""What a run of a given size can show: protocol's check values, and the power by simulation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from bench.uncertainty.paired import mcnemar
from bench.uncertainty.power import (
    discordant,
    effective_users,
    half_width,
    mcnemar_power,
    smallest_detectable_difference,
    t_power,
    zero_event_bound,
)


@pytest.mark.parametrize(
    ("n", "half", "bound"), [(50, 13.4, 7.1), (100, 9.6, 3.7), (200, 6.9, 1.9), (500, 4.4, 0.8)]
)
def test_check_values_of_the_protocol(n: int, half: float, bound: float) -> None:
    assert round(100 * half_width(n), 1) == half
    assert round(100 * zero_event_bound(n), 1) == bound


def test_the_exact_bound_after_no_event() -> None:
    assert zero_event_bound(100, exact=True) == pytest.approx(1 - 0.025**0.01)


def test_power_is_what_a_simulation_of_the_test_finds() -> None:
    rng = np.random.Generator(np.random.Philox(0))
    found = 0
    for _ in range(2000):
        outcome = rng.choice(3, 80, p=[0.25, 0.08, 0.67])
        found += mcnemar(outcome == 0, outcome == 1).p <= 0.05
    # binomial standard error about .011
    assert mcnemar_power(80, 0.25, 0.08) == pytest.approx(found / 2000, abs=0.035)


def test_without_a_difference_the_power_is_the_level_at_most() -> None:
    assert mcnemar_power(100, 0.2, 0.2) <= 0.05
    assert mcnemar_power(100, 0.0, 0.0) == 0.0


def test_five_users_cannot_show_anything() -> None:
    # the smallest p of five discordant users is 2/32
    assert mcnemar_power(5, 1.0, 0.0) == 0.0
    assert mcnemar_power(6, 1.0, 0.0) == 1.0
    assert math.isnan(smallest_detectable_difference(5, rate=1.0))


def test_the_smallest_detectable_difference_has_the_power_asked_for_and_no_smaller_one_has() -> None:
    found = smallest_detectable_difference(100, rate=0.4)
    assert mcnemar_power(100, *discordant(0.4, found)) >= 0.8
    assert mcnemar_power(100, *discordant(0.4, found - 0.01)) < 0.8


def test_the_usual_formula_agrees() -> None:
    # Connor (1987): n = (1.96 sqrt(s) + .84 sqrt(s - d²))² / d², s the discordant share; exact needs more
    found = smallest_detectable_difference(200)
    share = sum(discordant(0.5, found))
    needed = (1.96 * math.sqrt(share) + 0.8416 * math.sqrt(share - found**2)) ** 2 / found**2
    assert 0.85 * 200 < needed < 200


def test_more_users_draws_or_pairing_show_smaller_differences() -> None:
    base = smallest_detectable_difference(60)
    assert smallest_detectable_difference(200) < base
    assert smallest_detectable_difference(60, correlation=0.6) < base
    assert smallest_detectable_difference(60, 5, persistence=0.4) < base
    assert smallest_detectable_difference(60, 5) < base  # a t test sees a little more than an exact one
    assert smallest_detectable_difference(60, comparisons=45) > base


def test_effective_users_by_hand() -> None:
    # 100 users, 5 draws, half kept: 1 / (.5/100 + .5/500) = 166.7
    assert effective_users(100, 5, persistence=0.5) == pytest.approx(500 / 3)
    # a twentieth shared by everybody in a draw: 1 / (.5/100 + .05/5 + .45/500)
    assert effective_users(100, 5, persistence=0.5, shared=0.05) == pytest.approx(1 / 0.0159)
    assert effective_users(100, 5) == pytest.approx(100)


def test_discordant_shares_make_the_difference_and_the_correlation() -> None:
    one, two = discordant(0.4, 0.1, 0.5)
    assert one - two == pytest.approx(0.1)
    both = 0.4 - one
    phi = (both - 0.4 * 0.3) / math.sqrt(0.4 * 0.6 * 0.3 * 0.7)
    assert phi == pytest.approx(0.5)
    # more correlation than the two rates allow: nobody is left who differs the other way
    assert discordant(0.4, 0.3, 0.9) == (pytest.approx(0.3), pytest.approx(0.0))


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: effective_users(0), "needs users and draws"),
        (lambda: effective_users(5, 2, persistence=0.9, shared=0.2), "shares of one whole"),
        (lambda: effective_users(5, 1, persistence=0.5, shared=0.2), "cannot be averaged out"),
        (lambda: discordant(0.2, 0.3), "both rates"),
        (lambda: discordant(0.2, 0.1, -0.5), "correlation"),
        (lambda: mcnemar_power(0, 0.1, 0.1), "needs users"),
        (lambda: mcnemar_power(5, 0.9, 0.2), "shares of one whole"),
        (lambda: mcnemar_power(5, 0.1, 0.2, 0.0), "level"),
        (lambda: smallest_detectable_difference(50, rate=0.0), "rate to be lowered"),
        (lambda: smallest_detectable_difference(50, power=1.0), "power must lie"),
        (lambda: smallest_detectable_difference(50, comparisons=0), "comparisons"),
    ],
)
def test_nonsense_is_refused(call: Any, line: str) -> None:
    with pytest.raises(ValueError, match=line):
        call()


def test_the_power_over_draws_is_that_of_the_t_test_by_hand() -> None:
    # eight users who differ all one way: the standard error is 0 and nothing is surer
    assert t_power(8, 1.0, 0.0) == 1.0
    assert t_power(5, 1.0, 0.0) == 0.0  # five are no evidence
    stream = np.random.Generator(np.random.Philox(1))
    differences = stream.choice([1.0, -1.0, 0.0], (4000, 30), p=[0.4, 0.1, 0.5])
    p = stats.ttest_1samp(differences, 0, axis=1).pvalue
    assert t_power(30, 0.4, 0.1, 0.01) == pytest.approx(np.mean(p <= 0.01), abs=0.03)


def test_rates_around_one_half_can_differ_by_more_than_a_half() -> None:
    assert math.isnan(smallest_detectable_difference(20, comparisons=45))
    assert 0.5 < smallest_detectable_difference(20, rate=None, comparisons=45) < 1


def test_many_pairs_of_a_board_need_larger_differences() -> None:
    over_draws = [smallest_detectable_difference(60, 5, rate=None, comparisons=n) for n in (1, 3, 10)]
    assert over_draws == sorted(over_draws)
    assert smallest_detectable_difference(60, 5) != smallest_detectable_difference(60)
