"""One attacker against one collection: tuned, run on what was released and on the controls, judged."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bench.attack import asking, judge
from bench.attack.calibration import Calibration, Lessons
from bench.attack.corpus import Corpus
from bench.attack.judge import Verdict
from bench.attack.objective import hindsight_rate
from bench.attack.tuning import Tuned, tune, tune_in_hindsight, with_second_step
from bench.errors import of_one_cell
from bench.metrics.retrieval import impostor_similarities
from bench.parameters import resolved
from bench.plan.nouns import Attack
from bench.plan.scenarios import role
from bench.recognition.embedded import Embedded, joined
from bench.store.cache import Cache
from bench.store.code import code_of, stage_code
from bench.store.digests import array_digest, digest
from bench.types import Labels, Mask, Score


@dataclass
class AttackRunner:
    """Runs attackers, each answer once.

    Attributes:
        cache: Has the answers that were given before.
    """

    cache: Cache
    _tuned: dict[str, Tuned] = field(default_factory=dict)

    def tune(
        self,
        attack: Attack,
        calibration: Calibration,
        collection: Embedded,
        corpus: Corpus,
        lessons: Lessons | None = None,
    ) -> Tuned:
        """An attack's attacker, trained if it learns, its thresholds frozen.

        Args:
            attack: The attacker and its level.
            calibration: Calibration people, as the level has them; not looked at for `oracle`.
            collection: All that the attacker holds; looked at for `oracle` alone.
            corpus: Who is on the collection.
            lessons: People to train on; None where there are none besides the calibration people.
        """
        attacker = attack.attacker.plugin
        plugin = code_of(type(attacker).__module__)
        parts = [plugin, attack.attacker.described(), attack.level, dict(attack.options)]
        if attack.level == "oracle":
            calibration = Calibration(collection, corpus.owners, corpus.users)
            parts += [array_digest(part) for part in (corpus.released, corpus.linked)]
        learns = lessons is not None and hasattr(attacker, "trained")
        parts += lessons.digest if lessons is not None and learns else []
        key = digest(*parts, *calibration.digest)
        if key not in self._tuned:
            with of_one_cell():
                if lessons is not None and learns:
                    attacker = attacker.trained(lessons.embeddings, lessons.people, lessons.cloaked)
                self._tuned[key] = _tuned(attacker, attack, calibration, corpus)
        tuned = self._tuned[key]
        if tuned.attacker.card.oracle:
            return replace(tuned, attacker=tuned.attacker.informed(int(np.unique(corpus.owners).size)))
        return tuned

    def answer(self, tuned: Tuned, collection: Embedded, corpus: Corpus) -> Labels:
        """Labels or names, those of the first step cached by the embeddings that the attacker saw."""
        labels = self._first_answer(tuned.attacker, collection, corpus)
        if tuned.second_step:
            seen = collection.has_face
            labels[seen] = tuned.second_step.after(collection.of_faces, labels[seen])
        return labels

    def _first_answer(self, attacker: Any, collection: Embedded, corpus: Corpus) -> Labels:
        key = digest(
            "attack",
            stage_code(asking.__name__, type(attacker).__module__),
            resolved(attacker),
            array_digest(collection.vectors),
            array_digest(collection.has_face),
            digest(corpus.owners.tolist(), corpus.probes.tolist()),
        )
        stored = self.cache.rows("attack", [key]).get(key)
        clusters = role(attacker) == "clusterer"
        if stored is None:
            with of_one_cell():
                labels = (
                    asking.ask_clusterer(attacker, collection)
                    if clusters
                    else asking.ask_identifier(attacker, collection, corpus.owners, corpus.probes)
                )
            stored = labels.astype("<i8").tobytes()
            self.cache.put_rows("attack", {key: stored})
        flat = np.frombuffer(stored, "<i8").astype(np.int64)
        return flat if clusters else flat.reshape(-1, asking.TOP)


def _tuned(attacker: Any, attack: Attack, calibration: Calibration, corpus: Corpus) -> Tuned:
    """An attacker with its thresholds frozen, and those of its second step if it has one."""
    followed = attack.second_step != "none"
    if attack.level != "oracle":
        tuned = tune(attacker, calibration)
        return with_second_step(tuned, calibration) if followed else tuned
    name = attack.attacker.name
    tuned = tune_in_hindsight(attacker, name, calibration, corpus, second_step=followed)
    if not followed:
        return tuned
    return with_second_step(tuned, calibration, hindsight_rate(name, corpus, calibration.photos.has_face))


@dataclass(frozen=True)
class AttackResult:
    """What an attacker made of a cell.

    Attributes:
        verdict: The figures of the released photos.
        controls: Name of a control -> the main figures under that control.
    """

    verdict: Verdict
    controls: dict[str, dict[str, Score]]


def attack_views(
    runner: AttackRunner,
    tuned: Tuned,
    views: dict[str, Embedded],
    attackers_clean: Embedded,
    corpus: Corpus,
    calibration: Calibration,
    not_ok: Mask,
    *,
    seed: int,
    searched: bool,
) -> AttackResult:
    """Attack what was released, and the controls that it is compared with.

    Args:
        runner: Runs attackers.
        tuned: The attacker, its thresholds frozen.
        views: `released`, `clean`, and other versions of the released photos.
        attackers_clean: The clean photos that the attacker holds besides.
        corpus: Who is on the photos.
        calibration: Calibration people, clean.
        not_ok: bool [released], photos whose outcome is not `ok`.
        seed: The seed of the permutation and of the impostor pairs.
        searched: Whether cloaked probes are searched for in a clean gallery, so that retrieval is judged too.
    """
    collections = {view: joined([photos, attackers_clean]) for view, photos in views.items()}
    answers = {view: runner.answer(tuned, photos, corpus) for view, photos in collections.items()}
    answers["permutation"] = judge.permute(answers["released"], seed)
    verdicts: dict[str, Verdict] = {}
    for view, answer in answers.items():
        doubtful = not_ok if view == "released" else None
        if role(tuned.attacker) == "clusterer":
            verdicts[view] = judge.judge_clustering(answer, answers["clean"], corpus, doubtful)
        else:
            has_face = collections.get(view, collections["released"]).has_face[corpus.probes]
            verdicts[view] = judge.judge_identification(answer, corpus, has_face, doubtful)
    verdict = verdicts.pop("released")
    if searched:
        impostor = impostor_similarities(calibration.embeddings, calibration.people, seed=seed)
        verdict.scores.update(
            judge.judge_retrieval(
                views["clean"], views["released"], corpus, attackers_clean, impostor, not_ok
            )
        )
    controls = {
        view: judge.main_scores(other.scores)
        | {name: score for name, score in other.scores.items() if name == "bcubed_f_background"}
        for view, other in verdicts.items()
    }
    return AttackResult(verdict, controls)
