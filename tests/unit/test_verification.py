"""Verification metrics: worked examples, calibration that cannot leak, and scikit-learn as second opinion."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from bench.metrics.verification import auc, eer, tar_at_far, threshold_at_far

SCORES = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=30)


def test_the_threshold_lets_the_asked_share_of_impostors_through() -> None:
    # 100 impostors 0..99, FAR .02: 98 and 99 are above 97.
    assert threshold_at_far(np.arange(100.0), 0.02) == 97.0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-5, 5).map(float), min_size=10, max_size=60), st.sampled_from([0.1, 0.2, 0.5]))
def test_ties_never_let_more_impostors_through_than_asked(impostor: list[float], far: float) -> None:
    threshold = threshold_at_far(impostor, far)
    assert np.mean(np.array(impostor) > threshold) <= far


def test_tar_uses_the_calibration_impostors_only() -> None:
    # Threshold 97 from the impostors; 2 of 4 genuine pairs are above.
    score = tar_at_far([97.0, 97.5, 200.0, 1.0], np.arange(100.0), 0.02)
    assert (score.value, score.n, score.better) == (0.5, 4, "lower")
    assert score.low < 0.5 < score.high


def test_names_on_the_board() -> None:
    impostor = np.arange(1000.0)
    assert tar_at_far([0.0], impostor, 1e-2).name == "tar_far_1e2"
    assert tar_at_far([0.0], impostor, 1e-3).name == "tar_far_1e3"


def test_people_are_units_when_they_are_known() -> None:
    # Person 0: 3 pairs accepted; person 1: 1 pair refused. Mean over people 1/2, over pairs 3/4.
    genuine = [99.0, 99.0, 99.0, 0.0]
    impostor = np.arange(10.0)
    assert tar_at_far(genuine, impostor, 0.1).value == 0.75
    score = tar_at_far(genuine, impostor, 0.1, people=[0, 0, 0, 1])
    assert (score.value, score.n) == (0.5, 2)


def test_too_few_impostors_cannot_show_a_low_rate() -> None:
    assert math.isnan(threshold_at_far(np.arange(999.0), 1e-3))
    assert math.isnan(tar_at_far([1.0], np.arange(999.0), 1e-3).value)
    assert threshold_at_far(np.arange(1000.0), 1e-3) == 998.0


@settings(max_examples=60, deadline=None)
@given(SCORES, SCORES)
def test_auc_is_scikit_learns(genuine: list[float], impostor: list[float]) -> None:
    truth = [1] * len(genuine) + [0] * len(impostor)
    assert auc(genuine, impostor).value == pytest.approx(roc_auc_score(truth, genuine + impostor))


def test_a_perfect_encoder() -> None:
    genuine, impostor = np.linspace(0.6, 0.9, 50), np.linspace(-0.2, 0.2, 80)
    area, equal = auc(genuine, impostor), eer(genuine, impostor)
    assert (area.value, equal.value) == (1.0, 0.0)
    assert area.low < 1.0  # 50 pairs prove no certainty
    assert equal.high > 0.0


def test_eer_of_two_normals_is_the_textbooks() -> None:
    # Two unit normals d apart: EER = Phi(-d/2). For d = 2: .1587.
    rng = np.random.default_rng(0)
    value = eer(rng.normal(2, 1, 40_000), rng.normal(0, 1, 40_000)).value
    assert value == pytest.approx(0.1587, abs=0.005)


def test_eer_by_hand() -> None:
    # Threshold at 2: genuine 1 of 4 refused (1), impostors 1 of 4 accepted (3).
    assert eer([1.0, 3.5, 4.0, 5.0], [-1.0, 0.0, 0.5, 3.0]).value == 0.25


@settings(max_examples=60, deadline=None)
@given(SCORES, SCORES)
def test_eer_is_a_rate_and_a_coin_has_one_half(genuine: list[float], impostor: list[float]) -> None:
    assert 0 <= eer(genuine, impostor).value <= 1
    assert eer(genuine, genuine).value == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("genuine", "impostor", "line"),
    [([], [1.0], "genuine must be a list"), ([1.0], [math.nan], "impostor has a score that is not finite")],
)
def test_bad_scores_are_refused(genuine: Any, impostor: Any, line: str) -> None:
    for metric in (auc, eer, lambda g, i: tar_at_far(g, i, 0.5)):
        with pytest.raises(ValueError, match=line):
            metric(genuine, impostor)


def test_bad_rates_and_people_are_refused() -> None:
    with pytest.raises(ValueError, match="far must lie between"):
        threshold_at_far([1.0], 1.0)
    with pytest.raises(ValueError, match="people must name one person"):
        tar_at_far([1.0, 2.0], [1.0, 0.0], 0.5, people=[0])
