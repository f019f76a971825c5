"""Verification metrics: worked examples, calibration that cannot leak, and scikit-learn as second opinion."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from bench.metrics.verification import (
    auc,
    eer,
    encoder_flags,
    separation,
    tar_at_far,
    threshold_at_far,
)
from bench.types import Flag, FlagCode, Score

SCORES = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=30)


def test_the_threshold_lets_the_asked_share_of_impostors_through() -> None:
    # 100 impostors 0..99, FAR .02: 98 and 99 are above 97.
    assert threshold_at_far(np.arange(100.0), 0.02) == 97.0


@settings(max_examples=60)
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


@settings(max_examples=60)
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


@settings(max_examples=60)
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


def crowd(people: int, photos: int, noise: float, dimensions: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Unit embeddings scattered around a random direction for each person, and whose they are."""
    rng = np.random.default_rng(1)
    owners = np.repeat(np.arange(people), photos)
    rows = rng.normal(size=(people, dimensions))[owners] + noise * rng.normal(size=(len(owners), dimensions))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), owners


def test_separation_by_hand() -> None:
    # One dimension each way: a a' b b'. Genuine cosines: a a' = 0, b b' = 1.
    # Impostor cosines: a b = a b' = 1 (twice), a' b = a' b' = 0 (twice).
    # a a' ties with two of four: 1/4. b b' beats two and ties with two: 3/4. Mean over the two people: 1/2.
    rows = np.array([[0, 1], [1, 0], [0, 1], [0, 1]], np.float32)
    score = separation(rows, [0, 0, 1, 1])
    assert (score.value, score.n) == (0.5, 2)


def test_separation_is_scikit_learns_area_with_people_weighing_alike() -> None:
    rows, owners = crowd(12, 4, 1.5)
    rows, owners = rows[:-3], owners[:-3]  # the last person has one photo
    first, second = np.triu_indices(len(owners), 1)
    same = owners[first] == owners[second]
    pairs = np.bincount(owners[first][same], minlength=12)
    weights = np.where(same, 1 / np.maximum(pairs[owners[first]], 1), 1.0)
    expected = roc_auc_score(same, (rows @ rows.T)[first, second], sample_weight=weights)
    score = separation(rows, owners)
    assert score.value == pytest.approx(expected, abs=1e-6)
    assert score.n == 11
    assert 0.6 < score.value < 0.99


def test_separation_leaves_out_photos_without_a_face() -> None:
    rows, owners = crowd(6, 3, 1.0)
    blind = np.concatenate([rows, np.full((2, 32), np.nan, np.float32)])
    assert separation(blind, [*owners, 0, 5]) == separation(rows, owners)


@pytest.mark.parametrize("owners", [[0, 1], [0, 0], []])
def test_separation_without_pairs_of_both_kinds_is_not_defined(owners: list[int]) -> None:
    score = separation(np.eye(4, dtype=np.float32)[: len(owners)], np.array(owners, int))
    assert math.isnan(score.value)
    assert score.n == 0
    assert encoder_flags(score)


def test_separation_of_many_photos_draws_whole_people() -> None:
    rows, owners = crowd(60, 5, 1.2)
    lone, _ = crowd(200, 1, 1.2)
    rows, owners = np.concatenate([rows, lone]), np.concatenate([owners, 60 + np.arange(200)])
    small, full = separation(rows, owners, photos=200), separation(rows, owners)
    # 100 photos of people with five, 100 of people with one
    assert (small.n, full.n) == (20, 60)
    assert small.value == pytest.approx(full.value, abs=0.05)
    assert small == separation(rows, owners, photos=200)


def test_an_encoder_below_the_bar_is_flagged() -> None:
    def score(value: float) -> Score:
        return Score("auc", value, math.nan, math.nan, 9, "lower")

    assert encoder_flags(score(0.95)) == []
    assert encoder_flags(score(0.9401)) == [
        Flag(FlagCode.WEAK_ENCODER, "AUC below 0.95 on this data (0.940)")
    ]


def test_separation_refuses_arrays_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="one person for each of 4"):
        separation(np.eye(4), [0, 1])
