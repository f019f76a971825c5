"""An attacker that is asked to recognises cloaks: trained on its own, judged on those of users."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bench.attack.cloak_detector import Detector, judge_detector
from bench.errors import UserError
from bench.photos.collection import Photos
from bench.recognition.cloak_residuals import FIGURES, residuals
from bench.records.record import CellRecord
from bench.store.cache import Cache
from bench.types import Face

One = Callable[..., CellRecord]
NAMES = {"cloak_auc", "cloak_tpr_far_1e2", "cloak_fpr_far_1e2"}
PEOPLE = {"dataset": "synthetic:people=130,photos-each=6", "background": 4, "calibration": 40}


def value(record: CellRecord, name: str) -> float:
    figure = record.metrics[name].value
    assert figure is not None
    return figure


@pytest.mark.slow
def test_cloaks_are_recognised_and_clean_photos_are_not(one: One) -> None:
    cloaked = one(**PEOPLE, defenses=("noise",), cloak_detector="residuals")
    assert value(cloaked, "cloak_auc") > 0.95
    assert value(cloaked, "cloak_tpr_far_1e2") > 0.8
    assert value(cloaked, "cloak_fpr_far_1e2") <= 0.25  # of 8 photos
    assert {cloaked.metrics[name].n for name in NAMES} == {2}
    # whoever publishes clean photos is told from nobody: the released photos are the clean ones
    clean = one(**PEOPLE, defenses=("none",), cloak_detector="residuals")
    assert value(clean, "cloak_auc") == 0.5
    assert value(clean, "cloak_tpr_far_1e2") == value(clean, "cloak_fpr_far_1e2")


@pytest.mark.slow
def test_at_level_adaptive_it_is_tried_on_calibration_people_first(one: One) -> None:
    record = one(**PEOPLE, defenses=("noise",), cloak_detector="residuals", levels=("adaptive",))
    assert record.own_cloaks.keys() >= NAMES
    assert {record.own_cloaks[name].n for name in NAMES} == {30}  # the people whom it cloaked
    found = record.own_cloaks["cloak_auc"].value
    assert found is not None and found > 0.95
    assert value(record, "cloak_auc") > 0.95


def test_nobody_detects_who_is_not_asked_to(one: One) -> None:
    asked, plain = one(defenses=("noise",), cloak_detector="residuals"), one(defenses=("noise",))
    assert not NAMES & plain.metrics.keys()
    assert NAMES & asked.metrics.keys()
    assert asked.cell != plain.cell
    assert asked.metrics["cfr"] == plain.metrics["cfr"]


def test_a_detector_that_does_not_exist_is_the_users_mistake(one: One) -> None:
    with pytest.raises(
        UserError, match=r"^no cloak detector 'cnn'; --cloak-detector takes none or residuals\.$"
    ):
        one(cloak_detector="cnn")


def test_the_threshold_comes_from_calibration_people_and_users_are_units() -> None:
    # 200 calibration photos: two of them, 1 %, score above 197; so do 3 of 4 photos of user 0, none of user 1
    calibration = np.arange(200.0)
    released = np.array([198.5, 199.5, 300, 0, 1, 2])
    clean = np.array([10.0, 20, 30, 40, 250, 50])
    scores = judge_detector(released, clean, np.array([0, 0, 0, 0, 1, 1]), calibration)
    assert scores["cloak_tpr_far_1e2"].value == (0.75 + 0) / 2
    assert scores["cloak_fpr_far_1e2"].value == (0 + 0.5) / 2
    # of user 0, three photos are above five of six clean ones, the third above all, and one above none
    assert scores["cloak_auc"].value == pytest.approx(((5 + 5 + 6 + 0) / 24 + 0) / 2)
    assert all(score.n == 2 and score.better == "lower" for score in scores.values())
    assert not judge_detector(released, clean, np.zeros(6, int), np.zeros(0)).keys() - {"cloak_auc"}


def test_a_detector_learns_a_planted_trace_and_refuses_to_learn_from_one_kind() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, FIGURES))
    cloaked = rows[100:] + 2 * (np.arange(FIGURES) == 7)
    detector = Detector.trained(rows[:100], cloaked)
    assert int(np.argmax(np.abs(detector.weights))) == 7
    fresh = rng.normal(size=(100, FIGURES))
    assert detector.score(fresh + 2 * (np.arange(FIGURES) == 7)).min() > detector.score(fresh).min()
    with pytest.raises(ValueError, match="clean and from cloaked"):
        Detector.trained(rows, rows[:0])


def test_figures_are_frequencies_of_the_face_alone(tmp_path: object) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (60, 50, 3)).astype(np.uint8)
    other = image.copy()
    other[:20] = 0  # outside of the face
    face = Face((5.0, 22.0, 45.0, 58.0), ((0.0, 0.0),) * 5, 0.9)
    photos = Photos(("a", "b", "c"), lambda wanted: [(image, other, b"no photo")[i] for i in wanted])
    cache = Cache(tmp_path)  # type: ignore[arg-type]
    figures = residuals(photos, [face, face, None], cache)
    assert np.array_equal(figures[0], figures[1])
    assert (figures[:2] ** 2).sum(axis=1) == pytest.approx(4)  # four tables of shares
    assert not figures[2].any()
    assert np.array_equal(residuals(photos, [face, face, None], cache), figures)  # kept
    assert not np.array_equal(residuals(photos, [None, None, None], cache)[0], figures[0])
    cache.close()
