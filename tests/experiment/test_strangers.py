"""Simulated strangers are among the photos that are attacked, and in nothing that an attacker is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bench import registry
from bench.attack import distractors, stranger_fit
from bench.attack.calibration import Calibration, Lessons
from bench.attack.runner import AttackRunner
from bench.experiment.session import RunResult

Run = Callable[..., RunResult]
STRANGERS = 60
FEW: dict[str, Any] = {
    "dataset": "synthetic:people=120,photos-each=6",
    "background": 2,
    "defenses": ("noise",),
}


def rows_of(embeddings: Any) -> set[bytes]:
    return {row.tobytes() for row in np.asarray(embeddings, np.float32)}


@pytest.mark.parametrize("attacker", ["pairwise", "hdbscan"])
def test_nothing_is_fitted_or_tuned_on_users_or_on_strangers_who_are_like_them(
    attacker: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned: list[Any] = []
    attacked: list[Any] = []
    kind = registry.load("attackers", attacker)
    tune, cluster, fitted = AttackRunner.tune, kind.cluster, stranger_fit.fit

    def tuned(self: Any, attack: Any, people: Calibration, whole: Any, corpus: Any, lessons: Any) -> Any:
        learned.append(people.embeddings)
        if isinstance(lessons, Lessons):
            learned.append(lessons.embeddings)
        attacked.append(whole.of_faces)
        return tune(self, attack, people, whole, corpus, lessons)

    def clustered(self: Any, embeddings: Any) -> Any:
        met.append(embeddings)
        return cluster(self, embeddings)

    def fit(embeddings: Any, people: Any) -> Any:
        learned.append(embeddings)
        return fitted(embeddings, people)

    met: list[Any] = []
    monkeypatch.setattr(AttackRunner, "tune", tuned)
    monkeypatch.setattr(kind, "cluster", clustered)
    monkeypatch.setattr(distractors, "fit", fit)
    result = run(attackers=(attacker,), levels=("adaptive",), distractors=(STRANGERS,), **FEW)
    assert not result.faults
    assert len(learned) == (3 if attacker == "pairwise" else 2)
    whole, known = (set.union(*map(rows_of, seen)) for seen in (attacked, learned))
    assert len(whole) > 3 * STRANGERS  # users, background and strangers, all of whom are attacked
    assert not known & whole
    # and it never clusters them together with people whom it was tuned on
    assert any(rows_of(seen) & whole for seen in met) and any(rows_of(seen) & known for seen in met)
    assert not any(rows_of(seen) & whole and rows_of(seen) & known for seen in met)


@pytest.mark.parametrize("level", ["oblivious", "adaptive"])
def test_thresholds_are_the_same_whatever_strangers_there_are(level: str, run: Run) -> None:
    result = run(attackers=("pairwise", "dbscan"), levels=(level,), distractors=(0, STRANGERS), **FEW)
    assert not result.faults
    pairs = [
        [record for record in result.records if record.attacker.name == name]
        for name in ("pairwise", "dbscan")
    ]
    for alone, among in pairs:
        assert (alone.distractors, among.distractors) == (0, STRANGERS)
        assert alone.calibrated == among.calibrated
        assert (alone.tried, alone.tried_crowd) == (among.tried, among.tried_crowd)
        assert alone.own_cloaks == among.own_cloaks
        assert alone.metrics["encoder_auc"] == among.metrics["encoder_auc"]
