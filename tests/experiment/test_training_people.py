"""Whoever trains, trains on other people than those on whom thresholds are tuned, where there are enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bench import registry
from bench.attack.calibration import Calibration
from bench.experiment.session import RunResult
from bench.photos.collection import Photos
from bench.photos.decode import decode
from bench.recognition.attacker_view import AttackerView
from bench.recognition.observer import Observer
from bench.recognition.trained import TrainingData
from bench.types import FlagCode, Image

MANY: dict[str, Any] = {"dataset": "synthetic:people=120,photos-each=6"}
Run = Callable[..., RunResult]


def mirrored(photos: list[Image]) -> list[Image]:
    return [photo[:, ::-1].copy() for photo in photos]


@pytest.fixture
def lessons(monkeypatch: pytest.MonkeyPatch) -> list[TrainingData]:
    """What every view of a run may learn from."""
    met: list[TrainingData] = []
    made = AttackerView.__init__

    def watched(self: Any, *given: Any) -> None:
        met.append(given[2])
        made(self, *given)

    monkeypatch.setattr(AttackerView, "__init__", watched)
    return met


def test_a_head_learns_from_training_people_and_thresholds_from_others(
    run: Run, lessons: list[TrainingData]
) -> None:
    result = run(defenses=(mirrored,), budgets=("unbounded",), adaptations=("head:steps=5",), **MANY)
    assert not result.faults
    (record,), (parts,), data = result.records, result.pipeline.plan.splits, result.pipeline.plan.data
    content = {
        part: {data.digest(photo) for person in people for photo in person}
        for part, people in parts.parts.items()
    }
    (learned,) = lessons
    assert set(learned.clean.digests) == content["training"]
    assert len(parts.training) == record.scenario.parameters["training"] > 0
    assert not content["training"] & (content["calibration"] | content["crowd"] | content["released"])
    # it cloaked those with many photos, who come first, and the others stay as they are
    cloaks, people = learned.cloaks
    alone = len(parts.training) - parts.training_crowd
    assert sorted(set(people.tolist())) == list(range(alone))
    assert len(cloaks) == sum(map(len, parts.training[:alone]))
    assert FlagCode.SHARED_TRAINING not in {flag.code for flag in record.flags}


def test_too_few_people_for_both_are_told(run: Run, lessons: list[TrainingData]) -> None:
    result = run(defenses=("none",), adaptations=("head:steps=5", "views", "none"))
    assert not result.faults
    (parts,), data = result.pipeline.plan.splits, result.pipeline.plan.data
    tuned_on = {data.digest(photo) for person in parts.calibration for photo in person}
    assert set(lessons[0].clean.digests) == tuned_on
    told = [FlagCode.SHARED_TRAINING in {flag.code for flag in record.flags} for record in result.records]
    assert told == [True, False, False]


def test_only_an_adaptive_attacker_has_cloaks_of_its_own(run: Run) -> None:
    result = run(defenses=("noise",), levels=("oblivious", "adaptive", "oracle"))
    oblivious, adaptive, oracle = result.records
    assert oblivious.own_cloaks == oracle.own_cloaks == {}
    (parts,) = result.pipeline.plan.splits
    known = len(parts.calibration) - parts.crowd
    assert set(adaptive.own_cloaks) == {"cfr", "bcubed_f"}
    rate = adaptive.own_cloaks["cfr"]
    # what it was tuned for is what it then has: the candidate that was chosen is one of those that were tried
    assert rate.n == known and rate.value in adaptive.tried
    assert len(adaptive.tried) == len(adaptive.tried_crowd) == len(adaptive.calibrated["grid"])


@pytest.mark.parametrize(("scenario", "figure"), [("evasion", "psr1"), ("poisoning", "protection_rate")])
def test_an_identifier_has_its_own_cloaks_too(run: Run, scenario: str, figure: str) -> None:
    result = run(defenses=("noise",), attackers=("knn",), scenario=scenario, levels=("oblivious", "adaptive"))
    assert not result.faults
    oblivious, adaptive = result.records
    assert oblivious.own_cloaks == {}
    assert set(adaptive.own_cloaks) == {figure}
    assert adaptive.own_cloaks[figure].value is not None


def test_an_attacker_that_trains_gets_training_people_and_says_which_photos_it_cloaked(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    met: list[tuple[int, int, int]] = []

    def trained(self: Any, embeddings: Any, people: Any, cloaked: Any) -> Any:
        np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
        met.append((len(embeddings), len(set(people.tolist())), int(cloaked.sum())))
        return self

    monkeypatch.setattr(registry.load("attackers", "dbscan"), "trained", trained, raising=False)
    result = run(defenses=("noise",), levels=("oblivious", "adaptive"), **MANY)
    assert not result.faults
    (parts,) = result.pipeline.plan.splits
    alone = len(parts.training) - parts.training_crowd
    # photos without a face have no embedding, and are told
    lost = sum(result.records[0].unused["training"].values())
    assert met[0] == (sum(map(len, parts.training)) - lost, len(parts.training), 0)
    clean, cloaked = met[1][0] - met[1][2], met[1][2]
    assert (clean, met[1][1]) == met[0][:2]
    assert 3 * alone < cloaked <= 4 * alone
    # and with too few people it is not asked
    met.clear()
    assert not run(defenses=("noise",), levels=("oblivious",), users=3).faults
    assert met == []


@pytest.mark.slow
@pytest.mark.parametrize("way", ["finetune:steps=1,batch=4+whiten", "adversarial:steps=0,batch=4,inner=1"])
def test_a_network_never_saw_the_people_whose_pairs_set_its_thresholds(
    way: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned: list[Photos] = []
    crop, of = Observer.crops, Calibration.__init__
    judged: list[int] = []

    def cropped(self: Any, photos: Photos, card: Any) -> Any:
        learned.append(photos)
        return crop(self, photos, card)

    def calibrated(self: Any, seen: Any, *given: Any) -> None:
        judged.append(len(seen))
        of(self, seen, *given)

    monkeypatch.setattr("bench.adaptations.stopping.ROUND", 1)
    monkeypatch.setattr(Observer, "crops", cropped)
    monkeypatch.setattr(Calibration, "__init__", calibrated)
    result = run(defenses=(mirrored,), budgets=("unbounded",), adaptations=(way,), **MANY)
    assert not result.faults
    (record,), (parts,), data = result.records, result.pipeline.plan.splits, result.pipeline.plan.data

    def photos_of(people: Any) -> list[str]:
        return [photo for person in people for photo in person]

    # the faces that the network was trained on are those of training people, clean and then cloaked
    clean, cloaked = learned
    assert set(clean.digests) == {data.digest(photo) for photo in photos_of(parts.training)}
    alone = photos_of(parts.training[: len(parts.training) - parts.training_crowd])
    assert len(cloaked) == len(alone)
    for position in (0, len(alone) - 1):
        shown, original = decode(cloaked.read([position])[0]), decode(data.read([alone[position]])[0])
        np.testing.assert_array_equal(shown, mirrored([original])[0])
    # impostor pairs and the encoder's AUC are of calibration people: none of them is among the faces above
    tuned_on = photos_of(parts.calibration)
    assert judged == [len(tuned_on)]
    assert record.metrics["encoder_auc"].n == sum(len(person) > 1 for person in parts.calibration)
    assert not {data.digest(photo) for photo in tuned_on} & (set(clean.digests) | set(cloaked.digests))
    assert not set(tuned_on) & set(photos_of(parts.training))
