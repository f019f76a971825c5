"""Thresholds and answers are kept under keys that hold whatever decides them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from planted import known_people

from bench import registry
from bench.attack import asking
from bench.attack.calibration import Calibration, Lessons
from bench.attack.corpus import Corpus
from bench.attack.runner import AttackRunner
from bench.attack.second_step import SecondStep
from bench.attack.tuning import Tuned
from bench.plan.chosen import Chosen
from bench.plan.nouns import Attack
from bench.recognition.embedded import Embedded, all_faces
from bench.store.cache import Cache

ROWS, OWNERS = known_people(8, 4, 0.3)
PEOPLE = Calibration(all_faces(ROWS), OWNERS, np.arange(4))
LESSONS = Lessons(*known_people(10, 4, 0.3, seed=1), np.arange(40) < 20)
HELD = all_faces(known_people(6, 5, 0.3, seed=2)[0])
CORPUS = Corpus(
    known_people(6, 5, 0.3, seed=2)[1], np.arange(30) < 20, np.zeros(30, bool), np.arange(3, dtype=np.int64)
)


def attack(name: str = "dbscan", **more: Any) -> Attack:
    parameters = more.pop("parameters", {})
    return Attack(attacker=Chosen(name, registry.load("attackers", name)(**parameters)), **more)


def nudged(rows: np.ndarray) -> np.ndarray:
    moved = rows.copy()
    moved[0, 0] += np.float32(1e-6)
    return moved


def without_a_face(photos: Embedded) -> Embedded:
    has_face = photos.has_face.copy()
    has_face[0] = False
    return replace(photos, has_face=has_face)


def other_end(flags: np.ndarray) -> np.ndarray:
    return flags[::-1].copy()


BASE: dict[str, Any] = {"attack": attack(), "calibration": PEOPLE, "collection": HELD, "corpus": CORPUS}
TUNING: dict[str, dict[str, Any]] = {
    "another attacker": {"attack": attack("components")},
    "a parameter": {"attack": attack(parameters={"min_samples": 2})},
    "the level": {"attack": attack(level="adaptive")},
    "the second step": {"attack": attack(options=(("second_step", "assign"),))},
    "an embedding": {"calibration": replace(PEOPLE, photos=all_faces(nudged(ROWS)))},
    "a photo without a face": {"calibration": replace(PEOPLE, photos=without_a_face(PEOPLE.photos))},
    "who is on a photo": {"calibration": replace(PEOPLE, owners=OWNERS[::-1].copy())},
    "who is counted": {"calibration": replace(PEOPLE, known=np.arange(3))},
}
"""What decides an attacker's thresholds -> the same call with another value of it."""

LEARNS = BASE | {"attack": attack("pairwise"), "lessons": LESSONS}
TRAINING: dict[str, dict[str, Any]] = {
    "nobody": {"lessons": None},
    "an embedding": {"lessons": replace(LESSONS, embeddings=nudged(LESSONS.embeddings))},
    "who is on a photo": {"lessons": replace(LESSONS, people=LESSONS.people[::-1].copy())},
    "what is cloaked": {"lessons": replace(LESSONS, cloaked=other_end(LESSONS.cloaked))},
}

HINDSIGHT = BASE | {"attack": attack(level="oracle")}
ORACLE: dict[str, dict[str, Any]] = {
    "an embedding": {"collection": all_faces(nudged(HELD.vectors))},
    "a photo without a face": {"collection": without_a_face(HELD)},
    "who is on a photo": {"corpus": replace(CORPUS, owners=CORPUS.owners[::-1].copy())},
    "what is released": {"corpus": replace(CORPUS, released=np.arange(30) < 21)},
    "what is labelled": {"corpus": replace(CORPUS, linked=np.arange(30) > 26)},
    "who is looked for": {"corpus": replace(CORPUS, users=np.arange(2, dtype=np.int64))},
}


@pytest.mark.parametrize(
    ("usual", "change"),
    [
        *(pytest.param(BASE, change, id=f"tuned on: {what}") for what, change in TUNING.items()),
        *(pytest.param(LEARNS, change, id=f"trained on: {what}") for what, change in TRAINING.items()),
        *(pytest.param(HINDSIGHT, change, id=f"in hindsight: {what}") for what, change in ORACLE.items()),
    ],
)
def test_whatever_decides_thresholds_is_looked_at_anew_when_it_changes(
    usual: dict[str, Any], change: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuned: list[str] = []

    def counted(attacker: Any, attack: Attack, *given: Any) -> Tuned:
        del given
        tuned.append(f"{attack.attacker.name} {attack.level}")
        return Tuned(attacker)

    monkeypatch.setattr("bench.attack.runner._tuned", counted)
    runner = AttackRunner(Cache(tmp_path))
    runner.tune(**usual)
    runner.tune(**usual)
    assert len(tuned) == 1
    runner.tune(**usual | change)
    assert len(tuned) == 2


def test_what_is_not_looked_at_is_in_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tuned: list[Any] = []

    def counted(attacker: Any, *given: Any) -> Tuned:
        tuned.append(given)
        return Tuned(attacker)

    monkeypatch.setattr("bench.attack.runner._tuned", counted)
    runner = AttackRunner(Cache(tmp_path))
    for usual, elsewhere in ((BASE, ORACLE), (HINDSIGHT, TUNING)):
        runner.tune(**usual)
        before = len(tuned)
        for change in elsewhere.values():
            if "attack" not in change:
                runner.tune(**usual | change)
        runner.tune(**usual, lessons=LESSONS)  # neither of the two attackers trains
        assert len(tuned) == before


ANSWERED: dict[str, Callable[[Any], tuple[Any, Embedded, Corpus]]] = {
    "another attacker": lambda _: (registry.load("attackers", "components")(eps=0.5), HELD, CORPUS),
    "a tuned parameter": lambda attacker: (replace(attacker, eps=0.51), HELD, CORPUS),
    "an embedding": lambda attacker: (attacker, all_faces(nudged(HELD.vectors)), CORPUS),
    "a photo without a face": lambda attacker: (attacker, without_a_face(HELD), CORPUS),
}


@pytest.mark.parametrize("what", ANSWERED)
def test_whatever_decides_an_answer_is_in_its_key(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = watched(monkeypatch, "ask_clusterer")
    runner, attacker = AttackRunner(Cache(tmp_path)), registry.load("attackers", "dbscan")(eps=0.5)
    first = runner.answer(Tuned(attacker), HELD, CORPUS)
    again = AttackRunner(Cache(tmp_path)).answer(Tuned(attacker), HELD, CORPUS)
    assert len(asked) == 1 and np.array_equal(first, again)
    changed, held, corpus = ANSWERED[what](attacker)
    runner.answer(Tuned(changed), held, corpus)
    assert len(asked) == 2


@pytest.mark.parametrize(
    "corpus",
    [
        replace(CORPUS, owners=CORPUS.owners[::-1].copy()),
        replace(CORPUS, released=other_end(CORPUS.released)),
    ],
    ids=["names", "probes"],
)
def test_names_and_probes_are_in_the_key_of_who_names_people(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = watched(monkeypatch, "ask_identifier")
    runner, attacker = AttackRunner(Cache(tmp_path)), Tuned(registry.load("attackers", "knn")())
    for _ in range(2):
        runner.answer(attacker, HELD, CORPUS)
    assert len(asked) == 1
    runner.answer(attacker, HELD, corpus)
    assert len(asked) == 2


def test_what_an_attacker_learned_is_in_the_key_of_its_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = watched(monkeypatch, "ask_clusterer")
    runner, pairwise = AttackRunner(Cache(tmp_path)), registry.load("attackers", "pairwise")(distance=0.8)
    learned = [pairwise.trained(ROWS, OWNERS, np.arange(32) < cloaked) for cloaked in (0, 16)]
    assert learned[0].weights != learned[1].weights
    for attacker in (*learned, *learned):
        runner.answer(Tuned(attacker), HELD, CORPUS)
    assert len(asked) == 2


def test_a_second_step_is_taken_after_the_answer_that_is_kept(tmp_path: Path) -> None:
    runner, attacker = AttackRunner(Cache(tmp_path)), registry.load("attackers", "dbscan")(eps=0.05)
    plain = runner.answer(Tuned(attacker), HELD, CORPUS)
    step = SecondStep(join=0.7, merge=0.5)
    stepped = runner.answer(Tuned(attacker, second_step=step), HELD, CORPUS)
    assert np.array_equal(stepped, step.after(HELD.vectors, plain))
    assert np.array_equal(runner.answer(Tuned(attacker), HELD, CORPUS), plain)


def watched(monkeypatch: pytest.MonkeyPatch, name: str) -> list[Any]:
    """Every call of a function of `bench.attack.asking`."""
    asked: list[Any] = []
    ask = getattr(asking, name)

    def counted(*given: Any) -> Any:
        asked.append(given)
        return ask(*given)

    monkeypatch.setattr(asking, name, counted)
    return asked
