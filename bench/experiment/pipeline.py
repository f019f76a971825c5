"""The order of the stages, for one cell after another. Nobody else knows it.

A cell is computed from stages that are cached by content, and is itself cached whole. A cell that fails says
why in its record and leaves the others alone.
"""

from __future__ import annotations

import json
import logging
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from bench import channels, encoders, registry
from bench.attack import judge
from bench.attack.arena import Arena, Known, Vectors, fought
from bench.attack.distractors import Crowds
from bench.channels import Channel
from bench.errors import RefusedError, UserError, of_one_cell
from bench.experiment.draw import Draw
from bench.experiment.tables import perceptual_summary, rows
from bench.machine.environment import LIBRARIES, code, environment
from bench.machine.progress import Progress, Silent
from bench.metrics.clustering import PROTOCOL
from bench.metrics.verification import encoder_flags, separation
from bench.parameters import Plain, plain, resolved
from bench.photos.decode import decode
from bench.plan.cells import Cell, Chosen, FunctionDefense, Plan
from bench.plan.scenarios import SCENARIOS, role
from bench.recognition.observer import Observer, Photos, through
from bench.recognition.recogniser import Recogniser
from bench.records.record import CellRecord, Cost, Metric, Named
from bench.release.outcomes import budget_flags, outcomes
from bench.release.publisher import Publisher
from bench.store.cache import Cache
from bench.store.digests import digest, plugin_code, versions
from bench.types import EncoderCard, Flag, FlagCode, Folders, Image, Score

_log = logging.getLogger("bench")
_CONTROL = "noise"  # the defense that spends a cell's budget without looking at an encoder

DISTRACTOR_PHOTOS = PROTOCOL.support
"""Of each simulated stranger: as many as a cluster needs."""

Tables = dict[str, dict[str, list[Any]]]
"""`users` and `photos`: column -> values."""


class Pipeline:
    """Runs the cells of one plan."""

    def __init__(self, plan: Plan, folders: Folders, cache: Cache, progress: Progress | None = None) -> None:
        """Store; nothing is computed yet."""
        self.plan, self._cache = plan, cache
        self._progress = progress or Silent()
        self._observer = Observer(folders, cache, plan.device, self._progress, plan.spec.precision)
        self._draws = [self._drawn(number) for number in range(len(plan.splits))]
        self._arena = Arena(cache)
        self._crowds = Crowds()
        self._eyes: dict[str, Recogniser] = {}
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
        first = self._draws[0]
        firsts = [sum(map(len, first.split.released[:i])) for i in range(users)]
        for caption, cell in shown.items():
            release = first.publisher.release(cell)
            for i in [i for i in firsts if i < len(release.files) and release.files[i]]:
                before, after = decode(first.clean.read([i])[0]), decode(release.files[i])
                out.append((caption, before, after))
        return out

    def _cell(self, cell: Cell) -> tuple[CellRecord, Tables]:
        kind = role(cell.attacker.plugin)
        if kind not in SCENARIOS[str(cell.scenario["name"])].roles:
            elsewhere = [name for name, one in SCENARIOS.items() if kind in one.roles]
            reason = f"attacker {cell.attacker.name!r} is a {kind}: scenario {' or '.join(elsewhere)}"
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
        except RefusedError as error:
            return self._lost(cell, error)
        except UserError:
            raise  # of files and disks, which other cells need too
        except Exception as error:  # noqa: BLE001 - see below
            # whatever went wrong belongs to this cell alone; the command ends with status 1 and tells
            _log.error("cell %s failed: %s: %s", cell.digest[:12], type(error).__name__, error)
            return self._lost(cell, error)
        if cached:
            document = {"record": record.model_dump(mode="json"), "tables": tables}
            self._cache.put_file("cell", key, json.dumps(document).encode())
        return record, tables

    def _lost(self, cell: Cell, error: BaseException) -> tuple[CellRecord, Tables]:
        self.faults.append(error)
        self._failed.add(cell.digest)
        told = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        return self._record(cell, status="failed", error=told), {}

    def _computed(self, cell: Cell) -> tuple[CellRecord, Tables]:
        """One cell: publish, look, attack, judge."""
        self._seconds = {}
        hits = dict(self._cache.hits)
        draw, eyes = self._draws[cell.draw], self._recogniser(cell)
        platform = _platform(cell)
        with self._timed("cloak"):
            release = draw.publisher.release(cell)
        with self._timed("observe"):
            seen = eyes.look(through(release.photos(), platform), "released photos")
            before = eyes.look(draw.clean, "clean photos", again=True)
            # without the attacker's purifier: what is measured is the released file
            faces = self._observer.observe(draw.clean, [], "clean photos").faces if eyes.purifies else None
        with self._timed("measure"):
            costs = draw.publisher.costs(release, faces or before.faces)
        state = outcomes(cell.budget, release.failed, costs, before, seen)
        unsure = np.array([outcome != "ok" for outcome in state])
        name = cell.encoder.name
        with self._timed("observe"):
            held = eyes.look(draw.held, "background", again=True).embeddings[name]
            known = self._known(cell, draw, eyes, cloaked=False)
            lesson = self._known(cell, draw, eyes, cloaked=True) if cell.level == "adaptive" else known
        with self._timed("controls"):
            views = {"released": seen.embeddings[name], "clean": before.embeddings[name]}
            views |= self._controls(cell, draw, eyes)
        with self._timed("attack"):
            corpus = draw.corpus
            if cell.distractors:
                seed = cell.seed + cell.draw
                with of_one_cell():
                    crowd, strangers = self._crowds.of(
                        cell.draw, known, cell.distractors, DISTRACTOR_PHOTOS, seed
                    )
                held, corpus = np.concatenate([held, crowd]), corpus.among(strangers)
            whole = np.concatenate([views["released"], held])
            attacker, tried = self._arena.tuned(cell, lesson, whole, corpus)
            fight = fought(self._arena, cell, attacker, views, held, corpus, known, unsure)
        result, controls = fight.result, fight.controls
        separates = replace(separation(*known), name="encoder_auc")
        metrics = dict(result.scores) | _clean_scores(controls) | {separates.name: separates}
        flags = [*judge.flags(result.scores, controls["clean"]), *encoder_flags(separates)]
        flags += [*_conditions(cell), *budget_flags(cell.budget, state)]
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
            tried=tried,
            metrics=_metrics(metrics),
            controls={name: _metrics(scores) for name, scores in controls.items()},
            perceptual=perceptual_summary(costs),
            outcomes={o: state.count(o) for o in sorted(set(state))},
            flags=flags,
            cost=cost,
        )
        return record, rows(self.plan.data, draw.split, release, result, state, costs, seen)

    def _drawn(self, number: int) -> Draw:
        split, data = self.plan.splits[number], self.plan.data
        publisher = Publisher(self._cache, data, split, self._observer, self.plan.device, self._progress)
        return Draw(data, split, self.plan.spec.scenario, publisher)

    def _recogniser(self, cell: Cell) -> Recogniser:
        """The eyes of a cell's attacker; cells that see alike share them."""
        draw = self._draws[cell.draw]
        platform, purifier = _platform(cell), channels.divided(channels.parse(cell.channel))[1]
        seen = [encoders.identity(card) for card in cell.members]
        key = [cell.encoder.name, *seen, cell.adaptation.described(), str(purifier), cell.draw, cell.seed]
        if Recogniser.learns_from_cloaks(cell):
            key += [cell.defense.described(), id(cell.defense.plugin), str(cell.budget), str(platform)]
            key += [[encoders.identity(card) for card in cell.surrogates]]
        name = digest(*key)
        if name not in self._eyes:
            company = {card.name: card for other in self.plan.cells for card in other.members}
            self._eyes[name] = Recogniser(
                cell,
                self._observer,
                self._cache,
                self._progress,
                draw.lessons(cell, platform),
                tuple(company.values()),
            )
        return self._eyes[name]

    def _known(self, cell: Cell, draw: Draw, eyes: Recogniser, *, cloaked: bool) -> Known:
        """Embeddings of the calibration people's photos with a face, and who is on each."""
        name = cell.encoder.name
        if not cloaked:
            vectors = eyes.look(draw.calibration, "calibration people", again=True).embeddings[name]
            people = draw.calibration_people
        else:
            photos, who = draw.cloaked_calibration(cell, _platform(cell))
            crowd, others = draw.crowd
            vectors = np.concatenate(
                [
                    eyes.look(photos, "cloaks of calibration people").embeddings[name],
                    eyes.look(crowd, "crowd", again=True).embeddings[name],
                ]
            )
            people = np.concatenate([who, others])
        there = np.isfinite(vectors[:, 0])
        return vectors[there], people[there]

    def _controls(self, cell: Cell, draw: Draw, eyes: Recogniser) -> dict[str, Vectors]:
        """Other versions of the users' photos that the same attacker is shown."""
        views: dict[str, Photos] = {}
        platform = _platform(cell)
        if str(platform) != "none":
            views["channel"] = through(draw.clean, platform)
        if cell.budget.kind == "linf":
            twin = replace(cell, defense=Chosen(*registry.make("defenses", _CONTROL)), surrogates=())
            views["noise"] = through(draw.publisher.release(twin).photos(), platform)
        what = {"channel": "clean photos after the channel", "noise": "noise of equal norm"}
        return {
            view: eyes.look(photos, what[view], again=True).embeddings[cell.encoder.name]
            for view, photos in views.items()
        }

    def _plugins(self, cell: Cell) -> list[str]:
        plugins = (cell.defense.plugin, cell.attacker.plugin, registry.make("defenses", _CONTROL)[1])
        return [plugin_code(type(plugin).__module__) for plugin in plugins]

    def _record(self, cell: Cell, **result: Any) -> CellRecord:
        return CellRecord(
            cell=cell.digest,
            dataset=Named.model_validate(cell.dataset),
            scenario=Named.model_validate(cell.scenario),
            dose=cell.dose,
            defense=Named(name=cell.defense.name, parameters=cell.defense.parameters),
            surrogate=[_encoder(card) for card in cell.surrogates],
            budget=str(cell.budget),
            channel=cell.channel,
            encoder=_encoder(cell.encoder, precision=cell.precision),
            members=[_encoder(card) for card in cell.members] if len(cell.members) > 1 else [],
            adaptation=Named(name=cell.adaptation.name, parameters=cell.adaptation.parameters),
            attacker=Named(name=cell.attacker.name, parameters=cell.attacker.parameters),
            level=cell.level,
            detector=Named(
                name=str(cell.detector["name"]),
                parameters={k: v for k, v in cell.detector.items() if k != "name"},
            ),
            knowledge=cell.knowledge,
            seed=cell.seed,
            draw=cell.draw,
            distractors=cell.distractors,
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


def _clean_scores(controls: dict[str, dict[str, Score]]) -> dict[str, Score]:
    clean = controls["clean"]
    names = ("cfr", "cfr_link", "psr1", "protection_rate")
    return {f"{name}_clean": clean[name] for name in names if name in clean}


def _platform(cell: Cell) -> Channel:
    """What lies between release and attacker, without the attacker's own purifier."""
    return channels.divided(channels.parse(cell.channel))[0]


def _conditions(cell: Cell) -> list[Flag]:
    """Under what conditions nobody would meet this attacker, so that it is shown and never ranked."""
    flags = []
    if cell.level == "oracle":
        flags.append(Flag(FlagCode.ORACLE, "thresholds chosen on the protected photos"))
    if cell.attacker.plugin.card.oracle:
        flags.append(Flag(FlagCode.ORACLE, "told the true number of people"))
    return flags


def _metrics(scores: dict[str, Score]) -> dict[str, Metric]:
    return {name: Metric.of(score) for name, score in scores.items()}


def _peak_memory() -> float:
    """Of this process so far, in MiB; Linux counts in KiB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)
