"""One attacker against one collection: tuned, run on what was released and on the controls, judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bench.attack import asking, judge
from bench.attack.corpus import Corpus
from bench.attack.judge import Verdict
from bench.errors import UserError, of_one_cell
from bench.metrics.clustering import bcubed_objective, cluster_formation_rate
from bench.metrics.retrieval import impostor_similarities
from bench.parameters import resolved
from bench.plan.nouns import Attack
from bench.plan.scenarios import role
from bench.recognition.embedded import Embedded, joined
from bench.store.cache import Cache
from bench.store.code import code_of, stage_code
from bench.store.digests import array_digest, digest
from bench.types import Embeddings, Labels, Mask, Score

Objective = Callable[[Labels, Labels], float]
"""(guess, truth) of the photos with a face -> how good the guess is; larger is better."""


@dataclass(frozen=True)
class Calibration:
    """People whom the attacker knows: those that its thresholds are tuned on.

    Attributes:
        embeddings: [photo, dimension], of photos that have a face.
        people: int64 [photo], who is on each.
    """

    embeddings: Embeddings
    people: Labels

    @classmethod
    def of(cls, seen: Embedded, people: Labels) -> Calibration:
        """Those photos that have a face.

        Args:
            seen: Photos of calibration people.
            people: int64 [photo], who is on each.
        """
        return cls(seen.of_faces, people[seen.has_face])

    @property
    def digest(self) -> list[str]:
        """Of content."""
        return [array_digest(self.embeddings), array_digest(self.people)]


@dataclass(frozen=True)
class Tuned:
    """An attacker with its thresholds frozen.

    Attributes:
        attacker: The plug-in.
        scores: How good every candidate was, in the attacker's order; empty where nothing is tuned that way.
    """

    attacker: Any
    scores: list[float]


@dataclass
class AttackRunner:
    """Runs attackers, each answer once.

    Attributes:
        cache: Has the answers that were given before.
    """

    cache: Cache
    _tuned: dict[str, Tuned] = field(default_factory=dict)

    def tune(self, attack: Attack, lessons: Calibration, collection: Embedded, corpus: Corpus) -> Tuned:
        """An attack's attacker, its thresholds frozen.

        Args:
            attack: The attacker and its level.
            lessons: Calibration people, as the level has them; not looked at for `oracle`.
            collection: All that the attacker holds; looked at for `oracle` alone.
            corpus: Who is on the collection.
        """
        attacker = attack.attacker.plugin
        objective: Objective = bcubed_objective
        plugin = code_of(type(attacker).__module__)
        described = (plugin, attack.attacker.described(), attack.level, dict(attack.options))
        if attack.level == "oracle":
            lessons = Calibration.of(collection, corpus.owners)
            objective = _hindsight(attack.attacker.name, corpus, collection.has_face)
            parts = [array_digest(part) for part in (corpus.released, corpus.linked, collection.has_face)]
            key = digest(*described, *lessons.digest, *parts)
        else:
            key = digest(*described, *lessons.digest)
        if key not in self._tuned:
            scores: list[float] = []
            watched = _watched(objective, scores)
            with of_one_cell():
                tried = _calibrated(attacker, lessons, watched, hindsight=attack.level == "oracle")
            self._tuned[key] = Tuned(tried, scores)
        tuned = self._tuned[key]
        if tuned.attacker.card.oracle:
            return Tuned(tuned.attacker.informed(int(np.unique(corpus.owners).size)), tuned.scores)
        return tuned

    def answer(self, attacker: Any, collection: Embedded, corpus: Corpus) -> Labels:
        """Labels or names, cached by the embeddings that the attacker saw."""
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
    attacker: Any,
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
        attacker: Tuned.
        views: `released`, `clean`, and other versions of the released photos.
        attackers_clean: The clean photos that the attacker holds besides.
        corpus: Who is on the photos.
        calibration: Calibration people, clean.
        not_ok: bool [released], photos whose outcome is not `ok`.
        seed: The seed of the permutation and of the impostor pairs.
        searched: Whether cloaked probes are searched for in a clean gallery, so that retrieval is judged too.
    """
    collections = {view: joined([photos, attackers_clean]) for view, photos in views.items()}
    answers = {view: runner.answer(attacker, photos, corpus) for view, photos in collections.items()}
    answers["permutation"] = judge.permute(answers["released"], seed)
    verdicts: dict[str, Verdict] = {}
    for view, answer in answers.items():
        doubtful = not_ok if view == "released" else None
        if role(attacker) == "clusterer":
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


def _watched(objective: Objective, scores: list[float]) -> Objective:
    """The same objective, writing down what it says."""

    def scored(guess: Labels, truth: Labels) -> float:
        scores.append(float(objective(guess, truth)))
        return scores[-1]

    return scored


def _hindsight(attacker: str, corpus: Corpus, has_face: Mask) -> Objective:
    """What an oracle maximises: the rate of an assignment of the photos with a face.

    It is the cluster-formation rate; where the attacker holds labelled photos of the users, CFR-link.
    """
    linked = corpus.linked if corpus.linked.any() else None
    people = corpus.owners[has_face]

    def rate(guess: Labels, truth: Labels) -> float:
        # the corpus says who is on a photo without a face, and what was released: so the order has to be its
        if not np.array_equal(truth, people):
            raise UserError(
                f"{attacker} judges its guesses in another order than that of the photos, and so has no "
                "level oracle. Leave --level oracle out, or correct the attacker (docs/add-an-attacker.md)."
            )
        labels = np.full(corpus.owners.size, -1, np.int64)
        labels[has_face] = guess
        score = cluster_formation_rate(
            labels, corpus.owners, corpus.users, released=corpus.released, linked=linked
        )
        return score.value

    return rate


def _calibrated(attacker: Any, lessons: Calibration, objective: Objective, *, hindsight: bool) -> Any:
    """The attacker, with thresholds that are best for some people, frozen.

    Args:
        attacker: The plug-in.
        lessons: Calibration people; for `oracle`, the attacker's whole collection.
        objective: For clusterers.
        hindsight: Whether every combination of parameters is tried.
    """
    if role(attacker) == "clusterer":
        tune = getattr(attacker, "in_hindsight", attacker.calibrated) if hindsight else attacker.calibrated
        return tune(lessons.embeddings, lessons.people, objective)
    return attacker.calibrated(lessons.embeddings, lessons.people)
