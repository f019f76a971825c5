"""One attacker against one collection: tuned, let loose on what was released and on the controls, judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.attack import judge
from bench.attack.judge import Corpus, Verdict
from bench.errors import of_one_cell
from bench.metrics.clustering import bcubed_objective, cluster_formation_rate
from bench.metrics.retrieval import impostor_similarities
from bench.parameters import resolved
from bench.plan.cells import Cell
from bench.plan.scenarios import role
from bench.store.cache import Cache
from bench.store.digests import array_digest, code_digest, digest, plugin_code, versions
from bench.types import Embeddings, Labels, Score

Vectors = npt.NDArray[np.float32]
Known = tuple[Embeddings, Labels]
"""Embeddings of photos with a face, and who is on each."""
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "faiss-cpu", "torch")


@dataclass
class Arena:
    """Runs attackers, each answer once.

    Attributes:
        cache: of answers.
    """

    cache: Cache
    _tuned: dict[str, tuple[Any, list[float]]] = field(default_factory=dict)

    def tuned(self, cell: Cell, known: Known, collection: Vectors, corpus: Corpus) -> tuple[Any, list[float]]:
        """The cell's attacker, its thresholds frozen, and how good every candidate was.

        Args:
            cell: whose attacker and level.
            known: calibration people, as the level has them; not looked at for `oracle`.
            collection: [photo, dimensions], all that the attacker holds; looked at for `oracle` alone.
            corpus: who is on it.
        """
        attacker = cell.attacker.plugin
        objective: Callable[[Labels, Labels], float] = bcubed_objective
        if cell.level == "oracle":
            there = np.isfinite(collection[:, 0])
            known = collection[there], corpus.owners[there]
            objective = _hindsight(corpus, there)
        key = digest(
            plugin_code(type(attacker).__module__),
            cell.attacker.described(),
            cell.level,
            array_digest(known[0]),
            array_digest(known[1]),
        )
        if key not in self._tuned:
            scores: list[float] = []
            with of_one_cell():
                made = _tuned(attacker, known, _watched(objective, scores))
            self._tuned[key] = made, scores
        made, scores = self._tuned[key]
        if made.card.oracle:
            made = made.informed(int(np.unique(corpus.owners).size))
        return made, scores

    def answer(self, attacker: Any, vectors: Vectors, corpus: Corpus) -> Labels:
        """Labels or names, cached by the embeddings that the attacker saw."""
        key = digest(
            "attack",
            code_digest("bench.attack.judge"),
            plugin_code(type(attacker).__module__),
            resolved(attacker),
            array_digest(vectors),
            digest(corpus.owners.tolist(), corpus.probes.tolist()),
            versions(_LIBRARIES),
        )
        known = self.cache.rows("attack", [key]).get(key)
        clusters = role(attacker) == "clusterer"
        if known is None:
            with of_one_cell():
                found = (
                    judge.cluster(attacker, vectors) if clusters else judge.name(attacker, vectors, corpus)
                )
            known = found.astype("<i8").tobytes()
            self.cache.put_rows("attack", {key: known})
        flat = np.frombuffer(known, "<i8").astype(np.int64)
        return flat if clusters else flat.reshape(-1, judge.TOP)


@dataclass(frozen=True)
class Fight:
    """What an attacker made of a cell.

    Attributes:
        result: figures of the released photos.
        controls: name -> the main figures under that control.
    """

    result: Verdict
    controls: dict[str, dict[str, Score]]


def fought(
    arena: Arena,
    cell: Cell,
    attacker: Any,
    views: dict[str, Vectors],
    held: Vectors,
    corpus: Corpus,
    known: Known,
    unsure: npt.NDArray[np.bool_],
) -> Fight:
    """Attack what was released, and the controls that it is compared with.

    Args:
        arena: runs attackers.
        cell: whose seed and scenario.
        attacker: tuned.
        views: `released`, `clean`, and other versions of the released photos -> [photo, dimensions].
        held: [photo, dimensions], the clean photos that the attacker holds besides.
        corpus: who is on them.
        known: calibration people, clean.
        unsure: bool [released], photos whose outcome is not `ok`.
    """
    whole = {view: np.concatenate([vectors, held]) for view, vectors in views.items()}
    answers = {view: arena.answer(attacker, vectors, corpus) for view, vectors in whole.items()}
    answers["permutation"] = judge.permuted(answers["released"], cell.seed)
    results: dict[str, Verdict] = {}
    for view, answer in answers.items():
        doubtful = unsure if view == "released" else None
        if role(attacker) == "clusterer":
            results[view] = judge.clustered(answer, answers["clean"], corpus, doubtful)
        else:
            there = np.isfinite(whole.get(view, whole["released"])[:, 0])[corpus.probes]
            results[view] = judge.identified(answer, corpus, there, doubtful)
    result = results.pop("released")
    if cell.scenario["name"] == "evasion":
        impostor = impostor_similarities(*known, seed=cell.seed)
        result.scores.update(judge.retrieved(views["clean"], views["released"], corpus, held, impostor))
    controls = {
        view: judge.main_scores(other.scores)
        | {k: s for k, s in other.scores.items() if k == "bcubed_f_background"}
        for view, other in results.items()
    }
    return Fight(result, controls)


def _watched(
    objective: Callable[[Labels, Labels], float], scores: list[float]
) -> Callable[[Labels, Labels], float]:
    """The same objective, writing down what it says."""

    def scored(guess: Labels, truth: Labels) -> float:
        scores.append(float(objective(guess, truth)))
        return scores[-1]

    return scored


def _hindsight(corpus: Corpus, there: npt.NDArray[np.bool_]) -> Callable[[Labels, Labels], float]:
    """Cluster-formation rate of an assignment of the photos with a face: what an oracle maximises."""

    def rate(guess: Labels, truth: Labels) -> float:
        del truth  # the corpus says it, for photos without a face too
        labels = np.full(corpus.owners.size, -1, np.int64)
        labels[there] = guess
        return cluster_formation_rate(labels, corpus.owners, corpus.users, released=corpus.released).value

    return rate


def _tuned(attacker: Any, known: Known, objective: Callable[[Labels, Labels], float]) -> Any:
    """The attacker, with thresholds that are best for some known people, frozen.

    Args:
        attacker: plug-in.
        known: calibration people; for `oracle`, the attacker's whole collection.
        objective: for clusterers, (guess, truth) -> larger is better.
    """
    if role(attacker) == "clusterer":
        return attacker.calibrated(*known, objective)
    return attacker.calibrated(*known)
