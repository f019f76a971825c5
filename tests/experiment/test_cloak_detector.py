"""An attacker that is asked to recognises cloaks: trained on its own, judged on those of users."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bench.photos.through_channel
from bench.attack.cloak_judge import judge_detector
from bench.channels import Direct
from bench.errors import RefusedError, UserError
from bench.experiment.session import RunResult
from bench.photos.collection import Photos, clean_photos
from bench.photos.decode import decode
from bench.recognition.attacker_view import AttackerView
from bench.recognition.cloak_detector import Detector, Suspicion
from bench.recognition.cloak_residuals import FIGURES, residuals
from bench.recognition.trained import TrainingData
from bench.records.record import CellRecord
from bench.store.cache import Cache
from bench.types import Face, Mask

One = Callable[..., CellRecord]
Run = Callable[..., RunResult]
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
        UserError,
        match=r"^no cloak detector 'cnn'; --cloak-detector takes none, residuals, residuals:use=purify or "
        r"residuals:use=drop\.$",
    ):
        one(cloak_detector="cnn")


def test_nothing_is_purified_where_the_channel_has_no_purifier(run: Run) -> None:
    with pytest.raises(
        UserError,
        match=r"^--cloak-detector residuals:use=purify: channel 'jpeg:75' has no purifier\. "
        r"Try --channel denoiser:600\.$",
    ):
        run(cloak_detector="residuals:use=purify", channels=("jpeg:75+tv:0.1", "jpeg:75"))


@pytest.fixture
def knows_all(monkeypatch: pytest.MonkeyPatch) -> set[bytes]:
    """Photos that are no cloaks, for an attacker that suspects all others: a test says which."""
    clean: set[bytes] = set()

    def suspected(self: AttackerView, photos: Photos, what: str) -> Mask:
        found = photos.read(range(len(photos)))
        return np.array([decode(content).tobytes() not in clean for content in found], bool)

    monkeypatch.setattr(AttackerView, "suspected", suspected)
    return clean


def pixels(photos: Photos) -> list[bytes]:
    return [decode(content).tobytes() for content in photos.read(range(len(photos)))]


def all_clean(result: RunResult) -> set[bytes]:
    """The pixels of every photo of a run's split, as they were."""
    plan = result.pipeline.plan
    names = plan.splits[0].photos
    return set(pixels(clean_photos(plan.data, names)))


def test_only_what_is_suspected_is_purified(
    run: Run, knows_all: set[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed: set[bytes] = set()
    through = bench.photos.through_channel._pass

    def watched(content: Any, channel: Any) -> Any:
        passed.add(decode(content).tobytes())
        return through(content, channel)

    monkeypatch.setattr("bench.photos.through_channel._pass", watched)
    knows_all |= all_clean(run(home=tmp_path))
    asked: dict[str, Any] = {"defenses": ("noise",), "doses": (0.5,), "channels": ("tv:0.1",)}
    assert not passed
    result = run(**asked, cloak_detector="residuals:use=purify", levels=("adaptive",))
    (record,), pipeline = result.records, result.pipeline
    assert record.status == "ok"
    assert record.suspected == {"released": 4, "clean": 0, "held": 0, "calibration": 0}
    published = set(pixels(pipeline.stages(pipeline.plan.cells[0]).publish().photos()))
    assert len(published & knows_all) == len(published - knows_all) == 4
    assert published - knows_all <= passed
    assert not passed & knows_all
    # whoever purifies everything purifies these, too
    run(**asked)
    assert published <= passed


def test_what_is_dropped_is_in_no_cluster_and_stays_in_the_denominator(
    run: Run, knows_all: set[bytes], tmp_path: Path
) -> None:
    asked: dict[str, Any] = {"attackers": ("components",), "defenses": ("noise",), "doses": (0.5, 1.0)}
    before = run(home=tmp_path, **asked)
    knows_all |= all_clean(before)
    after = run(**asked, cloak_detector="residuals:use=drop")
    assert not after.faults
    for plain, record, cloaked in zip(before.records, after.records, (4, 8), strict=True):
        assert record.suspected == {"released": cloaked, "clean": 0, "held": 0, "calibration": 0}
        assert value(plain, "cfr") == 1  # noise hides nobody
        assert value(record, "cfr") == 0  # two photos of four are no cluster, and none is none
        assert record.metrics["cfr"].n == 2
        assert record.metrics["cfr"].bounds is None  # it is what the attacker does, and in no doubt
        assert record.outcomes == {"ok": 8}
        assert record.metrics["cfr_clean"] == plain.metrics["cfr_clean"]
        clusters = after.tables[record.cell]["photos"]["cluster"]
        assert clusters.count(-1) == cloaked
    half, whole = (after.tables[record.cell]["users"]["coverage"] for record in after.records)
    assert (half, whole) == ([0.5, 0.5], [0, 0])


def test_nobody_is_named_on_a_dropped_photo_or_learned_from_one(
    run: Run, knows_all: set[bytes], tmp_path: Path
) -> None:
    asked: dict[str, Any] = {"attackers": ("knn",), "defenses": ("noise",)}
    for scenario, figure in (("evasion", "psr1"), ("poisoning", "protection_rate")):
        plain = run(home=tmp_path, **asked, scenario=scenario)
        knows_all |= all_clean(plain)
        dropped = run(**asked, scenario=scenario, cloak_detector="residuals:use=drop")
        (one,), (other,) = plain.records, dropped.records
        assert value(one, figure) == 0
        assert value(other, figure) == 1
        assert other.metrics[figure].n == one.metrics[figure].n


def test_no_threshold_comes_from_too_few_photos(run: Run) -> None:
    for use, channel in (("purify", "tv:0.1"), ("drop", "none")):
        with pytest.raises(
            RefusedError,
            match=r"^cloak detector: a threshold that 1% of clean photos exceed takes 100 that it did not "
            r"learn from, and there are 4\. Try more --calibration people\.$",
        ):
            run(defenses=("noise",), channels=(channel,), cloak_detector=f"residuals:use={use}")


def test_a_suspicion_without_cloaks_to_learn_from_is_refused() -> None:
    photos = Photos(("a", "b"), lambda wanted: [b""] * len(wanted))
    nobody = np.zeros(0, np.int64), Photos((), lambda wanted: [])
    lessons = TrainingData(photos, np.array([0, 1]), photos, lambda: nobody[::-1], 0)
    with pytest.raises(
        RefusedError, match=r"^cloak detector: .* from cloaked photos\. Try more --calibration"
    ):
        Suspicion.learned(lessons, Direct(), lambda some, what: np.zeros((len(some), FIGURES)))


@pytest.mark.slow
def test_what_it_suspects_it_learned_for_each_defense_and_from_no_user(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    met: list[TrainingData] = []
    learned = Suspicion.learned

    def watched(lessons: TrainingData, *rest: Any) -> Suspicion:
        met.append(lessons)
        return learned(lessons, *rest)

    monkeypatch.setattr(Suspicion, "learned", watched)
    asked: dict[str, Any] = {**PEOPLE, "defenses": ("none", "noise"), "channels": ("tv:0.1",)}
    for use in ("purify", "drop"):
        result = run(**asked, cloak_detector=f"residuals:use={use}")
        assert not result.faults
        none, noise = result.records
        assert noise.suspected["released"] == 8
        assert none.suspected["released"] == none.suspected["clean"] == 0
        for record in result.records:
            # of 120 photos of 40 people 1 % is one
            assert record.suspected["calibration"] <= 1
            assert value(record, "cloak_tpr_far_1e2") == record.suspected["released"] / 8
    data, (parts,) = result.pipeline.plan.data, result.pipeline.plan.splits
    protected = {data.digest(photo) for user in (*parts.released, *parts.labelled) for photo in user}
    assert met
    for lessons in met:
        assert not protected & {*lessons.clean.digests, *lessons.held_out.digests}
        assert not set(lessons.clean.digests) & set(lessons.held_out.digests)


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
