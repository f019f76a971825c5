"""The order of the stages, for one cell after another. Nobody else knows it.

A cell is computed from stages that are cached by content, and is itself cached whole. A cell that fails says
why in its record and leaves the others alone.
"""

from __future__ import annotations

import json
import logging
import math
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from bench import channels, registry, verdict
from bench.cache import Cache
from bench.cells import Cell, Chosen, FunctionDefense, Plan
from bench.digests import array_digest, code_digest, digest, plugin_code, versions
from bench.encoders.faults import EncoderFault
from bench.environment import LIBRARIES, code, environment
from bench.errors import UserError
from bench.metrics.clustering import bcubed_objective
from bench.metrics.verification import encoder_flags, separation
from bench.observe import Observed, Observer, Photos, clean, through
from bench.outcomes import outcomes
from bench.parameters import Plain, plain, resolved
from bench.photos import decode
from bench.progress import Progress, Silent
from bench.records import CellRecord, Cost, Metric, Named
from bench.release import Publisher
from bench.tables import perceptual_summary, rows
from bench.types import EncoderCard, Folders, Image, Labels, Score

_log = logging.getLogger("bench")
_CONTROL = "noise"  # the defense that spends a cell's budget without looking at an encoder

Tables = dict[str, dict[str, list[Any]]]
"""`users` and `photos`: column -> values."""


class Pipeline:
    """Runs the cells of one plan."""

    def __init__(self, plan: Plan, folders: Folders, cache: Cache, progress: Progress | None = None) -> None:
        """Store; nothing is computed yet."""
        self.plan, self._cache = plan, cache
        self._progress = progress or Silent()
        self._observer = Observer(folders, cache, plan.device, self._progress, plan.spec.precision)
        self.publisher = Publisher(cache, plan.data, plan.split, self._observer, plan.device, self._progress)
        self._corpus = verdict.Corpus.of(plan.split)
        self._seconds: dict[str, float] = {}
        self.faults: list[BaseException] = []
        self._failed: set[str] = set()

    def run(
        self, done: Callable[[CellRecord, Tables], None] = lambda record, tables: None
    ) -> list[CellRecord]:
        """Run every cell, in order.

        Args:
            done: is handed each record and its tables as soon as they are there.
        """
        records = []
        for cell in self.plan.cells:
            record, tables = self._cell(cell)
            done(record, tables)
            records.append(record)
        return records

    def pairs(self, users: int = 3) -> list[tuple[str, Image, Image]]:
        """One photo each of a few users, as it was and as it is published, for every defense that ran.

        Returns:
            Caption, original and released photo.
        """
        shown: dict[str, Cell] = {}
        for cell in self.plan.cells:
            if cell.defense.name != "none" and cell.digest not in self._failed:
                surrogates = "+".join(card.name for card in cell.surrogates)
                shown.setdefault(f"{cell.defense.name} {cell.budget} {surrogates}".strip(), cell)
        out: list[tuple[str, Image, Image]] = []
        firsts = [sum(map(len, self.plan.split.released[:i])) for i in range(users)]
        for caption, cell in shown.items():
            release = self.publisher.release(cell)
            for i in [i for i in firsts if i < len(release.files) and release.files[i]]:
                before, after = decode(self._clean.read([i])[0]), decode(release.files[i])
                out.append((caption, before, after))
        return out

    def _cell(self, cell: Cell) -> tuple[CellRecord, Tables]:
        kind = "clusterer" if hasattr(cell.attacker.plugin, "cluster") else "identifier"
        if kind == "identifier" and not self._corpus.linked.any():
            reason = f"attacker {cell.attacker.name!r} needs labelled photos: scenario 'linked'"
            return self._record(cell, status="skipped", error=reason), {}
        key = digest("cell", cell.digest, code(), self._plugins(cell), self.plan.device, versions(LIBRARIES))
        cached = not isinstance(cell.defense.plugin, FunctionDefense)
        stored = self._cache.file("cell", key) if cached else None
        if stored is not None:
            document = json.loads(stored)
            record = CellRecord.model_validate(document["record"])
            reused = record.cost.model_copy(update={"reused": True})
            return record.model_copy(update={"cost": reused}), document["tables"]
        try:
            record, tables = self._computed(cell)
        except UserError:
            raise
        except Exception as error:  # noqa: BLE001 - see below
            # whatever went wrong belongs to this cell alone; the command ends with status 1 and tells
            self.faults.append(error)
            self._failed.add(cell.digest)
            _log.error("cell %s failed: %s: %s", cell.digest[:12], type(error).__name__, error)
            return self._record(cell, status="failed", error=f"{type(error).__name__}: {error}"), {}
        if cached:
            document = {"record": record.model_dump(mode="json"), "tables": tables}
            self._cache.put_file("cell", key, json.dumps(document).encode())
        return record, tables

    def _computed(self, cell: Cell) -> tuple[CellRecord, Tables]:
        """One cell: publish, look, attack, judge."""
        self._seconds = {}
        hits = dict(self._cache.hits)
        channel = channels.parse(cell.channel)
        with self._timed("cloak"):
            release = self.publisher.release(cell)
        with self._timed("observe"):
            seen = self._look(through(release.photos(), channel), cell, "released photos")
            before = self._look(self._clean, cell, "clean photos")
        with self._timed("measure"):
            costs = self.publisher.costs(release, before.faces)
        state = outcomes(cell.budget, release.failed, costs, before, seen)
        with self._timed("attack"):
            calibration = self._calibration(cell)
            attacker = _calibrated(cell.attacker.plugin, *calibration)
            if attacker.card.oracle:
                attacker = attacker.informed(int(np.unique(self._corpus.owners).size))
            unsure = np.array([outcome != "ok" for outcome in state])
            result, controls = self._attacked(cell, attacker, seen, before, unsure)
        summary = perceptual_summary(costs)
        separates = replace(separation(*calibration), name="encoder_auc")
        metrics = dict(result.scores) | self._clean_scores(controls) | {separates.name: separates}
        flags = [*verdict.flags(result.scores, controls["clean"]), *encoder_flags(separates)]
        if any(o == "out_of_budget" for o in state):
            flags.append("out of budget")
        cost = Cost(
            seconds={stage: round(s, 3) for stage, s in self._seconds.items()},
            photos_per_second=round(release.cloaked / release.seconds, 2) if release.seconds else None,
            peak_memory_mib=_peak_memory(),
            device=self.plan.device,
            providers=self._observer.runtimes(),
            cache_hits={s: n - hits.get(s, 0) for s, n in self._cache.hits.items() if n > hits.get(s, 0)},
        )
        record = self._record(
            cell,
            status="ok",
            calibrated=resolved(attacker),
            metrics=_metrics(metrics),
            controls={name: _metrics(scores) for name, scores in controls.items()},
            perceptual=summary,
            outcomes={o: state.count(o) for o in sorted(set(state))},
            flags=flags,
            cost=cost,
        )
        return record, rows(self.plan, release, result, state, costs, seen)

    def _look(self, photos: Photos, cell: Cell, what: str) -> Observed:
        """Observe through every encoder of the plan at once: a photo is decoded and detected once."""
        cards = {c.encoder.name: c.encoder for c in self.plan.cells}
        try:
            return self._observer.observe(photos, list(cards.values()), what)
        except EncoderFault:
            return self._observer.observe(photos, [cell.encoder], what)

    def _photos(self, people: Sequence[Sequence[str]]) -> Photos:
        """Clean photos of some people, one person after another."""
        return clean(self.plan.data, [p for person in people for p in person], self.plan.split.boxes)

    @cached_property
    def _clean(self) -> Photos:
        return self._photos(self.plan.split.released)

    @cached_property
    def _held(self) -> Photos:
        """Clean photos that the attacker holds: labelled ones of the users, and everybody else's."""
        parts = (*self.plan.split.labelled, *self.plan.split.background)
        return self._photos(parts)

    def _calibration(self, cell: Cell) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Embeddings of the calibration identities' photos with a face, and who is on each."""
        people = self.plan.split.calibration
        photos = self._photos(people)
        embeddings = self._look(photos, cell, "calibration people").embeddings[cell.encoder.name]
        owners = np.repeat(np.arange(len(people)), [len(p) for p in people])
        detected = ~np.isnan(embeddings[:, 0])
        return embeddings[detected], owners[detected]

    def _attacked(
        self, cell: Cell, attacker: Any, seen: Observed, before: Observed, unsure: npt.NDArray[np.bool_]
    ) -> tuple[verdict.Verdict, dict[str, dict[str, Score]]]:
        """Attack what was released, and the controls that it is compared with."""
        held = self._look(self._held, cell, "background").embeddings[cell.encoder.name]
        views = {"released": seen, "clean": before}
        if cell.channel != "none":
            passed = through(self._clean, channels.parse(cell.channel))
            views["channel"] = self._look(passed, cell, "clean photos after the channel")
        noise = self._noise(cell)
        if noise is not None:
            views["noise"] = self._look(noise, cell, "noise of equal norm")
        embedded = {
            view: np.concatenate([found.embeddings[cell.encoder.name], held]) for view, found in views.items()
        }
        answers = {view: self._answer(cell, attacker, vectors) for view, vectors in embedded.items()}
        answers["permutation"] = verdict.permuted(answers["released"], cell.seed)
        results = {
            view: self._judged(attacker, answers, view, embedded, unsure if view == "released" else None)
            for view in answers
        }
        controls = {
            view: verdict.main_scores(result.scores)
            | {k: s for k, s in result.scores.items() if k == "bcubed_f_background"}
            for view, result in results.items()
            if view != "released"
        }
        return results["released"], controls

    def _judged(
        self,
        attacker: Any,
        answers: dict[str, Labels],
        view: str,
        embedded: dict[str, npt.NDArray[np.float32]],
        unsure: npt.NDArray[np.bool_] | None,
    ) -> verdict.Verdict:
        if hasattr(attacker, "cluster"):
            return verdict.clustered(answers[view], answers["clean"], self._corpus, unsure)
        vectors = embedded.get(view, embedded["released"])
        detected = ~np.isnan(vectors[: int(self._corpus.released.sum()), 0])
        return verdict.identified(answers[view], self._corpus, detected, unsure)

    def _answer(self, cell: Cell, attacker: Any, vectors: npt.NDArray[np.float32]) -> Labels:
        """Labels or names, cached by the embeddings that the attacker saw."""
        key = digest(
            "attack",
            code_digest("bench.verdict"),
            plugin_code(type(attacker).__module__),
            resolved(attacker),
            array_digest(vectors),
            digest(self._corpus.owners.tolist(), self._corpus.released.tolist()),
            versions(["numpy", "scipy", "scikit-learn", "faiss-cpu"]),
        )
        known = self._cache.rows("attack", [key]).get(key)
        clusters = hasattr(attacker, "cluster")
        if known is None:
            found = (
                verdict.cluster(attacker, vectors)
                if clusters
                else verdict.name(attacker, vectors, self._corpus)
            )
            known = found.astype("<i8").tobytes()
            self._cache.put_rows("attack", {key: known})
        flat = np.frombuffer(known, "<i8").astype(np.int64)
        return flat if clusters else flat.reshape(-1, verdict.TOP)

    def _noise(self, cell: Cell) -> Photos | None:
        """The users' photos under random noise of the cell's own norm; None without a bounded budget."""
        if cell.budget.kind != "linf":
            return None
        twin = replace(cell, defense=Chosen(*registry.make("defenses", _CONTROL)), surrogates=())
        return through(self.publisher.release(twin).photos(), channels.parse(cell.channel))

    def _clean_scores(self, controls: dict[str, dict[str, Score]]) -> dict[str, Score]:
        clean = controls["clean"]
        return {f"{name}_clean": clean[name] for name in ("cfr", "cfr_link", "psr1") if name in clean}

    def _plugins(self, cell: Cell) -> list[str]:
        plugins = (cell.defense.plugin, cell.attacker.plugin, registry.make("defenses", _CONTROL)[1])
        return [plugin_code(type(plugin).__module__) for plugin in plugins]

    def _record(self, cell: Cell, **result: Any) -> CellRecord:
        return CellRecord(
            cell=cell.digest,
            dataset=Named.model_validate(cell.dataset),
            scenario=Named.model_validate(cell.scenario),
            defense=Named(name=cell.defense.name, parameters=cell.defense.parameters),
            surrogate=[_encoder(card) for card in cell.surrogates],
            budget=str(cell.budget),
            channel=cell.channel,
            encoder=_encoder(cell.encoder, precision=cell.precision),
            attacker=Named(name=cell.attacker.name, parameters=cell.attacker.parameters),
            detector=Named(
                name=str(cell.detector["name"]),
                parameters={k: v for k, v in cell.detector.items() if k != "name"},
            ),
            knowledge=cell.knowledge,
            seed=cell.seed,
            environment=environment(),
            **result,
        )

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self._seconds[stage] = self._seconds.get(stage, 0.0) + time.monotonic() - began


def _encoder(card: EncoderCard, **how: Plain) -> Named:
    stated = {
        "architecture": card.architecture,
        "training_set": card.training_set,
        "crop": plain(card.crop),
        "preprocessing": plain(card.preprocessing),
    }
    return Named(name=card.name, parameters=stated | how, digest=card.sha256)


def _calibrated(attacker: Any, vectors: npt.NDArray[np.float32], people: npt.NDArray[np.int64]) -> Any:
    """The attacker, tuned on calibration identities and frozen."""
    if hasattr(attacker, "cluster"):
        return attacker.calibrated(vectors, people, bcubed_objective)
    return attacker.calibrated(vectors, people)


def _metrics(scores: dict[str, Score]) -> dict[str, Metric]:
    return {
        name: Metric(
            value=_number(s.value),
            low=_number(s.low),
            high=_number(s.high),
            n=s.n,
            better=s.better,
            bounds=s.bounds,
        )
        for name, s in scores.items()
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _peak_memory() -> float:
    """Of this process so far, in MiB; Linux counts in KiB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)
