"""Identification metrics: worked examples, undetected probes, and bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bench.metrics.identification import protection_bounds, protection_by_user, protection_success_rate
from bench.uncertainty.intervals import wilson

# User 0 has two probes, user 1 one: named first; named second; not among the two named.
RANKED = [[0, 1], [2, 0], [0, 2]]
TRUTH = [0, 0, 1]


def test_rank_one_counts_only_the_first_name() -> None:
    # User 0: 1 of 2 identified. User 1: 0 of 1. Mean over users of the protected share: (1/2 + 1) / 2.
    score = protection_success_rate(RANKED, TRUTH, 1)
    assert (score.name, score.value, score.n, score.better) == ("psr1", 0.75, 2, "higher")
    assert protection_by_user(RANKED, TRUTH, 1) == {0: 0.5, 1: 1.0}


def test_rank_two_looks_further_down() -> None:
    # User 0: 2 of 2 identified.
    assert protection_success_rate(RANKED, TRUTH, 2).value == 0.5


def test_a_user_with_many_probes_counts_once() -> None:
    ranked = [[0]] * 9 + [[0]]
    assert protection_success_rate(ranked, [0] * 9 + [1], 1).value == 0.5


def test_an_undetected_probe_is_protected_and_the_bounds_say_so() -> None:
    # The first probe, identified when seen, was not detected: the value rises to 1, at worst it is .75.
    detected = np.array([False, True, True])
    assert protection_success_rate(RANKED, TRUTH, 1, detected=detected).value == 1.0
    assert protection_bounds(RANKED, TRUTH, 1, ~detected, detected=detected) == (0.75, 1.0)


def test_a_probe_over_budget_counts_both_ways_though_it_was_seen() -> None:
    assert protection_bounds(RANKED, TRUTH, 1, [True, False, False]) == (0.75, 1.0)


def test_without_unsure_probes_the_bounds_meet() -> None:
    assert protection_bounds(RANKED, TRUTH, 1, [False] * 3) == (0.75, 0.75)


def test_padding_names_nobody() -> None:
    assert protection_success_rate([[-1, -1], [-1, -1]], [0, 1], 2).value == 1.0


def test_the_interval_has_users_as_units() -> None:
    # 5 users with 100 identical probes each are 5 units, not 500.
    truth = np.repeat(np.arange(5), 100)
    ranked = np.where(truth < 2, truth, -1)[:, None]
    score = protection_success_rate(ranked, truth, 1)
    assert (score.value, score.n) == (0.6, 5)
    assert (score.low, score.high) == wilson(3, 5)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_the_interval_covers_when_the_probes_of_a_user_depend_on_each_other(share: float) -> None:
    # A user is easy or hard as a whole: over 300 draws of 60 users a 95 % interval covers about 285 times.
    rng = np.random.default_rng(1)
    covered = 0
    truth = np.repeat(np.arange(60), 10)
    for _ in range(300):
        easy = rng.random(60) < share
        score = protection_success_rate(np.where(easy[truth], truth, -1)[:, None], truth, 1)
        covered += score.low <= 1 - share <= score.high
    assert covered >= 270


@pytest.mark.parametrize(
    ("ranked", "truth", "k", "line"),
    [
        (RANKED, [0, 0], 1, "ranked must be whole numbers"),
        (RANKED, TRUTH, 3, "k must lie in 1..2"),
        (RANKED, TRUTH, 0, "k must lie in 1..2"),
        ([[0.0], [float("nan")]], [0, 1], 1, "ranked must be whole numbers"),
        (np.empty((0, 1), int), [], 1, "no probes"),
        (RANKED, [0, 0, -1], 1, "truth must be at least 0"),
    ],
)
def test_bad_input_is_refused_in_one_line(ranked: Any, truth: Any, k: int, line: str) -> None:
    with pytest.raises(ValueError, match=line) as error:
        protection_success_rate(ranked, truth, k)
    assert "\n" not in str(error.value)


def test_a_mask_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="detected must be 3 booleans"):
        protection_success_rate(RANKED, TRUTH, 1, detected=np.array([True]))
