"""Ten folds: thresholds from the other folds, standard errors, and intervals that know of shared people."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from bench.metrics.ten_fold import REFUSED, Scored, best_threshold, interval, verified
from bench.metrics.verification import auc, eer


def scored(
    scores: list[float], same: list[int], folds: list[int], first: list[int], second: list[int]
) -> Scored:
    return Scored(
        np.array(scores, float), np.array(same, bool), np.array(folds), np.array(first), np.array(second)
    )


def drawn(
    rng: np.random.Generator, people: int, pairs: int, spread: float = 0.0, apart: float = 2.0
) -> Scored:
    """Genuine pairs around `apart`, impostor pairs around 0; a person shifts all of their own by `spread`."""
    fold_of = np.arange(people) % 10
    shift = spread * rng.normal(size=people)
    first, second, same = [], [], []
    for fold in range(10):
        members = np.flatnonzero(fold_of == fold)
        for _ in range(pairs // 20):
            first.append(rng.choice(members))
            second.append(first[-1])
            a, b = rng.choice(members, 2, replace=False)
            first.append(a)
            second.append(b)
            same += [True, False]
    one, two, kind = np.array(first), np.array(second), np.array(same)
    noise = rng.normal(size=one.size)
    scores = noise + (shift[one] + shift[two]) / np.sqrt(2) + apart * kind
    return Scored(scores, kind, fold_of[one], one, two)


def impostors(seed: int = 5, count: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    return np.random.default_rng(seed).normal(size=count), np.arange(count) % 10


def test_the_best_threshold_by_hand() -> None:
    # Impostors 0 and 2, genuine 1 and 3. Above 0: impostor 2 is wrong; above 2: genuine 1 is. The lowest gap.
    assert best_threshold([0, 1, 2, 3], [0, 1, 0, 1]) == 0.5
    assert best_threshold([0, 1, 2, 3], [0, 0, 1, 1]) == 1.5
    assert best_threshold([0, 1], [1, 0]) < 0  # everything is accepted: 1 wrong, and nothing does better
    assert best_threshold([0, 1], [0, 0]) == 1.0  # nothing is above it
    assert best_threshold([REFUSED, 0], [1, 1]) == REFUSED / 2  # a pair without a face is never accepted
    with pytest.raises(ValueError, match="no pairs"):
        best_threshold([], [])


def test_the_threshold_of_a_fold_comes_from_the_other_one() -> None:
    # Fold 0 is separated at 5.5 (impostor 5, genuine 6), fold 1 at .5 (impostor 0, genuine 1).
    # Judged by .5, fold 0 accepts both: half right. Judged by 5.5, fold 1 refuses both: half right.
    pairs = scored([6, 5, 1, 0], [1, 0, 1, 0], [0, 0, 1, 1], [0, 1, 3, 4], [0, 2, 3, 5])
    found = verified(pairs, [0.0, 0.0], [0, 1])
    assert found.thresholds["accuracy"] == (0.5, 5.5)
    assert found.fold_accuracy == (0.5, 0.5)
    assert (found.scores["accuracy"].value, found.standard_error) == (0.5, 0.0)


def test_mean_and_standard_error_over_folds_by_hand() -> None:
    # Fold 0: all four right. Fold 1: genuine .2 is refused, 3 of 4 right. Mean 7/8,
    # standard deviation of (1, 3/4) with one degree of freedom .17678, over root 2: 1/8.
    pairs = scored(
        [0.9, 0.9, 0.1, 0.1, 0.9, 0.2, 0.1, 0.1],
        [1, 1, 0, 0, 1, 1, 0, 0],
        [0, 0, 0, 0, 1, 1, 1, 1],
        [0, 1, 0, 0, 3, 4, 3, 3],
        [0, 1, 1, 2, 3, 4, 4, 5],
    )
    found = verified(pairs, [0.1, 0.1], [0, 1])
    assert found.fold_accuracy == (1.0, 0.75)
    assert found.scores["accuracy"].value == 0.875
    assert found.standard_error == pytest.approx(0.125)


def test_tar_takes_its_threshold_from_the_other_folds_calibration_pairs() -> None:
    # 100 calibration impostors a fold: 0..99 in fold 0, 1000..1099 in fold 1. At FAR .01 one may pass.
    # So fold 1 is judged by 98 and accepts its genuine 99; fold 0 by 1098 and refuses 99.
    pairs = scored([99, 0, 99, 0], [1, 0, 1, 0], [0, 0, 1, 1], [0, 1, 3, 4], [0, 2, 3, 5])
    calibration = np.concatenate([np.arange(100.0), 1000 + np.arange(100.0)])
    found = verified(pairs, calibration, np.repeat([0, 1], 100))
    assert found.thresholds["tar_far_1e2"] == (1098.0, 98.0)
    assert found.scores["tar_far_1e2"].value == 0.5
    assert found.scores["far_1e2"].value == 0.0
    # 100 pairs cannot show a rate of .001
    assert math.isnan(found.scores["tar_far_1e3"].value)
    assert math.isnan(found.scores["far_1e3"].value)


def test_auc_and_eer_are_scikit_learns() -> None:
    pairs = drawn(np.random.default_rng(3), 200, 2_000)
    found = verified(pairs, *impostors()).scores
    assert found["auc"].value == pytest.approx(roc_auc_score(pairs.same, pairs.scores))
    fpr, tpr, _ = roc_curve(pairs.same, pairs.scores)
    nearest = np.argmin(np.abs(1 - tpr - fpr))
    assert found["eer"].value == pytest.approx((1 - tpr[nearest] + fpr[nearest]) / 2, abs=0.002)
    genuine, impostor = pairs.scores[pairs.same], pairs.scores[~pairs.same]
    assert (found["auc"].value, found["eer"].value) == (
        auc(genuine, impostor).value,
        eer(genuine, impostor).value,
    )


def test_a_pair_without_a_face_is_refused_and_stays_in_the_denominator() -> None:
    # Perfect but for the faces: of 200 genuine pairs 20 have none, of 200 impostor pairs 10.
    pairs = drawn(np.random.default_rng(4), 100, 400)
    scores = np.where(pairs.same, 0.8, 0.1)
    scores[np.flatnonzero(pairs.same)[:20]] = REFUSED
    scores[np.flatnonzero(~pairs.same)[:10]] = REFUSED
    found = verified(replace(pairs, scores=scores), np.full(20_000, 0.2), np.arange(20_000) % 10).scores
    accuracy, tar, far = (found[name] for name in ("accuracy", "tar_far_1e2", "far_1e2"))
    assert (accuracy.n, tar.n, far.n) == (400, 200, 200)
    assert (accuracy.value, accuracy.bounds) == (pytest.approx(0.95), (pytest.approx(1 - 30 / 400), 1.0))
    assert (tar.value, tar.bounds) == (pytest.approx(0.9), (pytest.approx(0.9), 1.0))
    assert (far.value, far.bounds) == (0.0, (0.0, pytest.approx(10 / 200)))
    # 180 of 200 genuine pairs beat everything, 20 tie with 10 of 200 impostor pairs: .9 + .1 * .05 / 2
    assert found["auc"].value == pytest.approx(0.9025)
    assert (found["auc_detected"].value, found["auc_detected"].n) == (1.0, 370)
    assert found["auc"].bounds == (pytest.approx(0.9 * 0.95), 1.0)


def test_an_encoder_that_never_saw_a_genuine_pair_has_no_area() -> None:
    pairs = drawn(np.random.default_rng(4), 100, 400)
    blind = replace(pairs, scores=np.where(pairs.same, REFUSED, pairs.scores))
    assert math.isnan(verified(blind, *impostors()).scores["auc_detected"].value)


def test_without_such_pairs_there_are_no_bounds() -> None:
    found = verified(drawn(np.random.default_rng(4), 100, 400), *impostors()).scores
    assert all(score.bounds is None for score in found.values())


def test_pairs_of_one_person_count_as_one() -> None:
    # 40 people, 25 pairs each, all of a person's alike: as uncertain as 40 pairs, not as 1,000
    hit = np.repeat(np.arange(40) % 2, 25).astype(float)
    people = np.repeat(np.arange(40), 25)
    low, high = interval(0.5, (hit - 0.5) / 1000, people, people)
    assert high - low == pytest.approx(2 * 0.148, abs=0.01)  # Wilson with n = 40
    low, high = interval(0.5, (hit - 0.5) / 1000, np.arange(1000), np.arange(1000))
    assert high - low == pytest.approx(2 * 0.031, abs=0.002)  # and with n = 1,000


def test_impostor_pairs_share_either_of_their_people() -> None:
    # a b, b c: influences -1/2 and 1/2. Products: (a b)^2 + (b c)^2 + 2 (a b)(b c) = 1/4 + 1/4 - 1/2 = 0, so
    # that the variance says nothing: three people. With none shared it is 1/2: n = (1/4)/(1/2), at least 1.
    wide = interval(0.5, np.array([-0.5, 0.5]), np.array([0, 1]), np.array([1, 2]))
    assert wide[1] - wide[0] == pytest.approx(2 * 0.375, abs=0.005)  # Wilson with n = 3
    alone = interval(0.5, np.array([-0.5, 0.5]), np.array([0, 2]), np.array([1, 3]))
    assert alone[1] - alone[0] == pytest.approx(2 * 0.445, abs=0.02)  # and with n = 1


def test_perfect_pairs_keep_an_interval() -> None:
    pairs = drawn(np.random.default_rng(6), 100, 400, apart=50.0)
    found = verified(pairs, *impostors()).scores
    for name in ("accuracy", "auc", "tar_far_1e2"):
        assert found[name].value == found[name].high == 1.0
        assert 0.9 < found[name].low < 0.99
    assert found["eer"].value == found["eer"].low == 0.0
    assert 0.01 < found["eer"].high < 0.1


@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_intervals_cover_the_truth_also_when_people_differ(spread: float) -> None:
    # Both kinds are normal with the same spread s, apart by 2: AUC = Phi(2 / (s root 2)).
    # A genuine pair has its person's shift twice over root 2, an impostor pair two people's: 2 s^2 and s^2.
    from statistics import NormalDist

    one, two = math.sqrt(1 + 2 * spread**2), math.sqrt(1 + spread**2)
    truth = NormalDist().cdf(2 / math.sqrt(one**2 + two**2))
    rng = np.random.default_rng(8)
    calibration = impostors()
    inside = []
    for _ in range(200):
        found = verified(drawn(rng, 150, 600, spread), *calibration).scores["auc"]
        inside.append(found.low <= truth <= found.high)
    assert np.mean(inside) >= 0.92  # 95 % less 2 standard errors of 200 draws


def test_folds_that_cannot_be_judged_are_refused() -> None:
    pairs = scored([1, 0, 1, 0], [1, 0, 1, 0], [0, 0, 1, 1], [0, 1, 3, 4], [0, 2, 3, 5])
    with pytest.raises(ValueError, match="every fold needs calibration"):
        verified(pairs, [0.0], [0])
    with pytest.raises(ValueError, match="at least two folds"):
        verified(scored([1, 0], [1, 0], [0, 0], [0, 1], [0, 2]), [0.0], [0])
    with pytest.raises(ValueError, match="every fold needs impostor"):
        verified(scored([1, 0, 1], [1, 0, 1], [0, 0, 1], [0, 1, 3], [0, 2, 3]), [0.0, 0.0], [0, 1])
