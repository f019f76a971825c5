"""Intervals: the protocol's check values, and scipy as the second opinion."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from bench.metrics.statistics import wilson


@pytest.mark.parametrize(("n", "points"), [(50, 13.4), (100, 9.6), (200, 6.9), (500, 4.4)])
def test_half_width_at_rate_one_half_is_the_protocols(n: int, points: float) -> None:
    low, high = wilson(n // 2, n)
    assert round(100 * (high - low) / 2, 1) == points


@pytest.mark.parametrize(("n", "points"), [(50, 7.1), (100, 3.7), (200, 1.9), (500, 0.8)])
def test_upper_bound_with_no_event_is_the_protocols(n: int, points: float) -> None:
    low, high = wilson(0, n)
    assert low == 0.0
    assert round(100 * high, 1) == points


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_whole_counts_agree_with_scipy(case: tuple[int, int], confidence: float) -> None:
    successes, n = case
    expected = binomtest(successes, n).proportion_ci(confidence, method="wilson")
    assert wilson(successes, n, confidence) == pytest.approx((expected.low, expected.high), abs=1e-12)


@settings(max_examples=60, deadline=None)
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
