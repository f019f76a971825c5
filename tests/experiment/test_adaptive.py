"""Attackers who know the defense: what they learn, what from, and that the same bytes come out again."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bench.photos.through_channel
from bench import registry
from bench.adaptations import robustness, stopping, training
from bench.channels import learner, parse
from bench.errors import RefusedError
from bench.experiment.session import RunResult
from bench.recognition.attacker_view import AttackerView
from bench.recognition.trained import TrainingData
from bench.records.record import CellRecord
from bench.types import FlagCode, Image

One = Callable[..., CellRecord]


def value(record: CellRecord, metric: str) -> float:
    """A metric that this record must have."""
    number = record.metrics[metric].value
    assert number is not None
    return number


Run = Callable[..., RunResult]

TRAINING = "bench.recognition.further_training"

ASTRAY = ["finetune:steps=3,rate=1e6", "adversarial:steps=3,rate=1e6"]
LEARNING = {
    "head": {"adaptations": ("head:steps=5",)},
    "finetune": {"adaptations": ("finetune:steps=2,batch=6",)},
    "denoiser": {"channels": ("denoiser:3",)},
    "whiten": {"adaptations": ("whiten",)},
    "weighted": {"encoders": ("weighted:synth-ir+synth-inc",)},
    "chain": {"adaptations": ("views+adversarial:steps=2,batch=6,inner=1+finetune:steps=2,batch=6+whiten",)},
}
"""Ways that learn from cloaks."""
OTHERS: dict[str, dict[str, Any]] = {
    "views": {"adaptations": ("views",)},
    "random views": {"adaptations": ("views:random=2",)},
    "adversarial": {"adaptations": ("adversarial:steps=2,batch=6,inner=1",)},
    "adaptive": {"levels": ("adaptive",)},
    "oracle": {"levels": ("oracle",)},
    "mean": {"encoders": ("mean:synth-ir+synth-inc",)},
    "side by side": {"encoders": ("synth-ir+synth-inc",)},
    "purifier": {"channels": ("jpeg:75+tv:0.1",)},
    "strangers": {"distractors": (40,), "dataset": "synthetic:people=40,photos-each=6", "background": None},
}


@pytest.mark.parametrize("name", [*LEARNING, *OTHERS])
def test_every_way_runs_and_a_second_run_is_the_same(
    name: str, run: Run, tmp_path: Path, bench_home: Path
) -> None:
    changes: dict[str, Any] = {"defenses": ("noise",), **{**LEARNING, **OTHERS}[name]}
    first = run(**changes)
    assert not first.faults
    again = run(**changes)
    assert [r.cost.reused for r in again.records] == [True]
    # learned anew from nothing but the same photos
    import shutil

    shutil.copytree(bench_home / "cache", tmp_path / "cache")
    for stage in ("cell", "adapted", "denoiser"):
        shutil.rmtree(tmp_path / "cache" / stage, ignore_errors=True)
    anew = run(home=tmp_path, **changes)
    assert [r.cost.reused for r in anew.records] == [False]
    assert [r.comparable() for r in anew.records] == [r.comparable() for r in first.records]


@pytest.mark.parametrize("name", LEARNING)
def test_what_is_learned_is_learned_from_calibration_people_alone(
    name: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    met: list[TrainingData] = []
    made = AttackerView.__init__

    def watched(self: Any, *given: Any) -> None:
        met.append(given[2])
        made(self, *given)

    monkeypatch.setattr(AttackerView, "__init__", watched)

    def darker(photos: list[Image]) -> list[Image]:
        return [photo // 2 for photo in photos]

    result = run(defenses=(darker,), budgets=("unbounded",), **LEARNING[name])
    assert not result.faults
    data, (parts,) = result.pipeline.plan.data, result.pipeline.plan.splits
    protected = {data.digest(p) for person in (*parts.released, *parts.labelled) for p in person}
    (lessons,) = met
    assert not protected & set(lessons.clean.digests)
    cloaks, people = lessons.cloaks
    # they are the calibration people's, made by this very defense
    known = [p for person in parts.calibration[: len(parts.calibration) - parts.crowd] for p in person]
    assert len(cloaks) == len(people) == len(known)
    from bench.photos.decode import decode

    for one, name_of in zip(cloaks.read([0, len(known) - 1]), (known[0], known[-1]), strict=True):
        np.testing.assert_array_equal(decode(one), decode(data.read([name_of])[0]) // 2)


def test_thresholds_are_tuned_on_cloaks_when_the_attacker_is_adaptive(run: Run) -> None:
    def grey(photos: list[Image]) -> list[Image]:
        return [np.repeat(photo.mean(2, keepdims=True), 3, 2).astype(np.uint8) for photo in photos]

    result = run(defenses=(grey,), budgets=("unbounded",), levels=("oblivious", "adaptive", "oracle"))
    oblivious, adaptive, oracle = result.records
    assert oblivious.tried != adaptive.tried
    assert len(oblivious.tried) == len(oblivious.calibrated["grid"])
    # the best rate in hindsight is at least that of any threshold chosen before
    assert value(oracle, "cfr") >= max(value(oblivious, "cfr"), value(adaptive, "cfr"))
    assert FlagCode.ORACLE in {flag.code for flag in oracle.flags}
    assert FlagCode.ORACLE not in {flag.code for flag in (*oblivious.flags, *adaptive.flags)}


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["introduced", "linked"])
def test_hindsight_is_no_worse_for_any_clusterer(run: Run, scenario: str) -> None:
    attackers = ("chinese-whispers", "louvain", "hdbscan")
    levels = ("oblivious", "adaptive", "oracle")
    hard: dict[str, Any] = {"channels": ("resize:0.25",), "users": 4, "background": 3}
    people = {"dataset": "synthetic:people=20,photos-each=6"}
    result = run(defenses=("noise",), attackers=attackers, levels=levels, scenario=scenario, **hard, **people)
    assert not result.faults
    rate = "cfr_link" if scenario == "linked" else "cfr"
    for attacker in attackers:
        by_level = {r.level: value(r, rate) for r in result.records if r.attacker.name == attacker}
        assert by_level["oracle"] >= max(by_level.values())
        # what was judged best is what was then found
        (oracle,) = [r for r in result.records if (r.attacker.name, r.level) == (attacker, "oracle")]
        assert max(oracle.tried) == value(oracle, rate)


def test_an_attacker_that_judges_in_another_order_has_no_oracle(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    dbscan = registry.load("attackers", "dbscan")

    def backwards(self: Any, embeddings: Any, people: Any, objective: Any) -> Any:
        return plainly(
            self, embeddings[::-1], people[::-1], lambda guess, truth: objective(guess, people[::-1])
        )

    plainly = dbscan.calibrated
    monkeypatch.setattr(dbscan, "calibrated", backwards)
    result = run(defenses=("none",), levels=("oblivious", "oracle"))
    oblivious, oracle = result.records
    assert oblivious.status == "ok"
    assert oracle.status == "failed"
    assert oracle.error is not None and "dbscan judges its guesses in another order" in oracle.error


def test_a_purifier_runs_on_everything_and_a_platform_on_released_photos_only(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed: dict[str, int] = {}
    through = bench.photos.through_channel._pass

    def counted(content: Any, channel: Any) -> Any:
        passed[str(channel)] = passed.get(str(channel), 0) + 1
        return through(content, channel)

    monkeypatch.setattr("bench.photos.through_channel._pass", counted)
    result = run(defenses=("none",), channels=("jpeg:33+tv:0.03",))
    assert not result.faults
    parts = result.pipeline.plan.splits[0]
    released = sum(map(len, parts.released))
    held = sum(map(len, (*parts.background, *parts.calibration)))
    # released, clean ones after the channel and noise; `none` publishes the clean pixels
    assert 0 < passed["jpeg:33"] <= 4 * released
    assert passed["tv:0.03"] >= held


def test_strangers_make_the_collection_larger(one: One) -> None:
    near = {"dataset": "synthetic:people=40,photos-each=6", "background": None}
    few, many = one(**near), one(**near, distractors=(300,))
    assert value(many, "clusters") > value(few, "clusters") + 200
    assert many.metrics["cfr"].n == few.metrics["cfr"].n == 2


def test_a_record_says_how_robust_an_adversarially_trained_encoder_is(one: One) -> None:
    record = one(adaptations=("adversarial:steps=2,batch=6,inner=1",), encoders=("synth-ir+synth-vit",))
    assert set(record.robustness) == {"synth-ir", "synth-vit"}
    for measured in record.robustness.values():
        assert (measured.people, measured.photos) == (2, 4)  # of six calibration people, half of four photos
        assert measured.perturbed_before <= measured.clean_before
    again = one(adaptations=("adversarial:steps=2,batch=6,inner=1",), attackers=("hdbscan",))
    assert again.robustness == {"synth-ir": record.robustness["synth-ir"]}  # trained once, told twice
    assert one(adaptations=("finetune:steps=2,batch=6",)).robustness == {}


def test_people_held_out_of_one_step_of_a_chain_are_held_out_of_all(
    one: One, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[tuple[str, set[int]]] = []
    train, judge = training.train_network, robustness.accuracies

    def watched(network: Any, crops: Any, people: Any, how: Any, **more: Any) -> Any:
        steps.append((how.name, set(people)))
        return train(network, crops, people, how, **more)

    def judged(network: Any, crops: Any, people: Any, how: Any, **more: Any) -> Any:
        steps.append(("judged", set(people)))
        return judge(network, crops, people, how, **more)

    monkeypatch.setattr(f"{TRAINING}.train_network", watched)
    monkeypatch.setattr(f"{TRAINING}.accuracies", judged)
    record = one(adaptations=("adversarial:steps=2,batch=5,inner=1+finetune:steps=2,batch=5",))
    # what is told is how robust the network is that comes out of the whole chain
    assert [name for name, _ in steps] == ["judged", "adversarial", "finetune", "judged"]
    held, *taught = (people for name, people in (steps[0], *steps[1:3]))
    assert len(held) == record.robustness["synth-ir"].people == 2
    assert all(people and not people & held for people in taught)


@pytest.mark.parametrize("way", ["finetune", "adversarial"])
def test_a_training_may_last_as_long_as_it_pays(way: str, one: One, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[set[int]] = []
    taught: list[set[int]] = []
    look, prepare = stopping.told_apart, training.trainer

    def looked(network: Any, crops: Any, people: Any) -> float:
        looked_at.append(set(people))
        return look(network, crops, people)

    def prepared(network: Any, crops: Any, people: Any, how: Any, **more: Any) -> Any:
        taught.append(set(people))
        return prepare(network, crops, people, how, **more)

    monkeypatch.setattr(f"{TRAINING}.told_apart", looked)
    monkeypatch.setattr(f"{TRAINING}.trainer", prepared)
    monkeypatch.setattr(stopping, "ROUND", 2)
    inner = ",inner=1" if way == "adversarial" else ""
    people = {"dataset": "synthetic:people=24,photos-each=6"}
    record = one(adaptations=(f"{way}:steps=0,batch=5{inner}+whiten",), defenses=("noise",), **people)
    curve = record.training["synth-ir"][way]
    assert curve.steps[:2] == [0, 2]
    assert curve.kept in curve.steps
    assert len(curve.steps) == len(curve.score) == len(looked_at) >= 3
    # it is judged on people whom it was not trained on
    assert all(people and not people & taught[0] for people in looked_at)
    assert one(adaptations=(f"{way}:steps=2,batch=5{inner}",)).training == {}


def test_a_record_says_the_weights_of_an_ensemble(one: One) -> None:
    record = one(encoders=("weighted:synth-ir+synth-vit",), adaptations=("whiten",), defenses=("noise",))
    assert set(record.weights) == {"synth-ir", "synth-vit"}
    assert sum(record.weights.values()) == pytest.approx(1)
    assert [member.name for member in record.members] == ["synth-ir", "synth-vit"]
    assert record.adaptation.name == "whiten"
    assert one(encoders=("synth-ir+synth-vit",)).weights == {}


def test_a_whitened_encoder_is_another_one(one: One) -> None:
    # what is learned from cloaks depends on the defense, and each parameter decides a result
    ways = ("none", "whiten", "whiten:method=pca", "whiten:dimensions=9", "whiten:shrinkage=0.9")
    records = [one(adaptations=(way,), defenses=("noise",)) for way in ways]
    assert len({record.cell for record in records}) == len(ways)
    assert value(records[2], "encoder_auc") < value(records[0], "encoder_auc")
    dimensions = one(adaptations=("whiten:dimensions=9",), defenses=("noise",)).adaptation.parameters
    assert dimensions == {"method": "wccn", "dimensions": 9, "shrinkage": 0.2}


@pytest.mark.parametrize("way", ["finetune:steps=3,rate=1e6", "adversarial:steps=3,rate=1e6"])
def test_a_training_that_goes_astray_fails_its_own_cell(way: str, run: Run) -> None:
    result = run(adaptations=(way, "none"))
    failed, good = result.records
    assert (failed.status, good.status) == ("failed", "ok")
    (fault,) = result.faults
    assert isinstance(fault, RefusedError)
    assert re.search(r"not finite|its loss is|Try a lower rate", str(fault)), fault


def test_a_denoiser_that_goes_astray_fails_its_own_cell(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def astray(*given: object, **more: object) -> bytes:
        raise FloatingPointError("the denoiser's loss is nan")

    monkeypatch.setattr("bench.channels.denoiser.train", astray)
    result = run(channels=("denoiser:4", "none"))
    assert [record.status for record in result.records] == ["failed", "ok"]
    assert [str(fault) for fault in result.faults] == [
        "channel 'denoiser:4': the denoiser's loss is nan. Try other steps."
    ]


def black(photos: list[Image]) -> list[Image]:
    """Nobody finds a face in what is published."""
    return [np.zeros_like(photo) for photo in photos]


@pytest.mark.parametrize(
    ("adaptation", "says"),
    [
        (
            "none",
            "at least 2 calibration identities.* In 20 of 24 photos of calibration people",
        ),
        ("finetune:steps=2,batch=4", "In 20 of 24 photos"),
        ("finetune:steps=0,batch=4", "'synth-ir' cannot be trained further: too few people have two cloaked"),
        ("adversarial:steps=0,batch=4,inner=1", "too few people have two cloaked photos"),
    ],
)
def test_without_any_cloak_that_has_a_face_one_line_says_so(adaptation: str, says: str, run: Run) -> None:
    with pytest.raises(RefusedError, match=says) as refused:
        run(defenses=(black,), budgets=("unbounded",), levels=("adaptive",), adaptations=(adaptation,))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("adaptation", ["none", "whiten", "head:steps=2", "finetune:steps=1,batch=4"])
def test_where_a_crowd_is_left_an_attacker_without_cloaks_is_tuned_on_the_crowd(
    adaptation: str, one: One
) -> None:
    many = {"dataset": "synthetic:people=120,photos-each=6"}
    record = one(
        defenses=(black,), budgets=("unbounded",), levels=("adaptive",), adaptations=(adaptation,), **many
    )
    assert (record.own_cloaks["cfr"].value, value(record, "cfr")) == (0.0, 0.0)
    assert record.outcomes == {"not_detected": 8}


def test_a_denoiser_is_not_asked_before_it_is_trained() -> None:
    assert learner(parse("jpeg:75+denoiser:3")) is not None
    with pytest.raises(ValueError, match="not trained"):
        parse("denoiser:3")(np.zeros((8, 8, 3), np.uint8))
