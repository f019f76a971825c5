"""The order of the stages, for one cell after another. Nobody else knows it.

A cell is computed from stages that are cached by content, and is itself cached whole. A cell that fails says
why in its record and leaves the others alone.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bench import encoders, registry
from bench.attack.distractors import Crowds
from bench.attack.runner import AttackRunner
from bench.encoders.faults import EncoderFault
from bench.errors import RefusedError, UserError, interrupted
from bench.experiment.elsewhere import Elsewhere, reason_of
from bench.experiment.recording import cost_of, is_of, new_hits, record_attack, record_of
from bench.experiment.repetition import Repetition
from bench.experiment.shares import Share, make
from bench.experiment.stages import CONTROL, Clock, Stages
from bench.experiment.tables import rows
from bench.experiment.unused import columns, counted, doubtful_users, explaining
from bench.experiment.views import Views
from bench.faces import detectors
from bench.machine.progress import Progress, Silent
from bench.photos.decode import decode
from bench.plan.cells import Cell, Plan
from bench.plan.chosen import Chosen, FunctionDefense
from bench.plan.scenarios import SCENARIOS, role, scenarios_of
from bench.recognition.attacker_view import Tools
from bench.recognition.observer import Observer
from bench.records.record import CellRecord
from bench.release.lpips import lpips_measure
from bench.release.publisher import Publisher
from bench.store.cache import Cache
from bench.store.code import stage_code
from bench.store.digests import digest
from bench.types import Folders, Image

_log = logging.getLogger("bench")

Tables = dict[str, dict[str, list[Any]]]
"""`users`, `photos` and `unused`: column -> values."""


class Pipeline:
    """Runs the cells of one plan."""

    def __init__(self, plan: Plan, folders: Folders, cache: Cache, progress: Progress | None = None) -> None:
        """Store; nothing is computed yet.

        Args:
            plan: The cells.
            folders: Where weights lie.
            cache: Results of stages.
            progress: Told of every stage.
        """
        self.plan, self._cache = plan, cache
        listener = progress or Silent()
        self._lpips = lpips_measure(folders)
        self._observer = Observer.on(plan.device, folders, cache, listener, plan.spec.precision)
        self._views = Views(plan.cells, Tools(self._observer, cache, listener))
        self._repetitions = [self._repetition(number, listener) for number in range(len(plan.splits))]
        self._runner, self._crowds = AttackRunner(cache), Crowds()
        self.faults: list[BaseException] = []
        self.elsewhere = Elsewhere()
        self._failed: set[str] = set()

    def run(
        self, done: Callable[[CellRecord, Tables], None] = lambda record, tables: None
    ) -> list[CellRecord]:
        """Run every cell, in order.

        Args:
            done: Is handed each record and its tables as soon as they are there.
        """
        records = []
        for cell in self.plan.cells:
            record, tables = self.run_cell(cell)
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
            if cell.cloaking.defense.name != "none" and cell.digest not in self._failed:
                shown.setdefault(str(cell.cloaking), cell)
        out: list[tuple[str, Image, Image]] = []
        repetition = self._repetitions[0]
        firsts = [sum(map(len, repetition.split.released[:i])) for i in range(users)]
        for caption, cell in shown.items():
            release = repetition.publisher.release(cell.cloaking)
            for i in [i for i in firsts if i < len(release.files) and release.files[i]]:
                before, after = decode(repetition.clean.read([i])[0]), decode(release.files[i])
                out.append((caption, before, after))
        return out

    def run_cell(self, cell: Cell) -> tuple[CellRecord, Tables]:
        """One cell: skipped, from the cache, or computed; a fault of one cell is in its record."""
        reason = misfit(cell)
        if reason:
            return record_of(cell, self.plan.device, status="skipped", error=reason), {}
        own = isinstance(cell.cloaking.defense.plugin, FunctionDefense)
        key = self.key(cell)
        stored = None if own else self._stored(cell, key)
        if stored is not None:
            return stored
        if cell.digest in self.elsewhere.faults:
            return self._lose(cell, self.elsewhere.faults[cell.digest])
        try:
            record, tables = self._compute(cell)
        except RefusedError as error:
            return self._lose(cell, error)
        except UserError:
            raise  # of files and disks, which other cells need too
        except Exception as error:
            if interrupted(error):
                raise KeyboardInterrupt from error
            # whatever went wrong belongs to this cell alone; the command ends with status 1 and tells
            _log.error("cell %s failed: %s: %s", cell.digest[:12], type(error).__name__, error)
            return self._lose(cell, error)
        if not own:
            document = {"record": record.model_dump(mode="json"), "tables": tables}
            self._cache.put_file("cell", key, json.dumps(document).encode())
            self._cache.explain("cell", key)
        return record, tables

    def leave_out(self) -> None:
        """Leave out the cells that would have to be computed."""
        cells = tuple(cell for cell in self.plan.cells if misfit(cell) or self.is_stored(cell))
        self.plan = replace(self.plan, cells=cells)

    def is_stored(self, cell: Cell) -> bool:
        """Whether the cell's result is in the store, whole."""
        return self._cache.file("cell", self.key(cell)) is not None

    def _stored(self, cell: Cell, key: str) -> tuple[CellRecord, Tables] | None:
        """A cell from the cache; None if it is not there, or if it is the record of something else."""
        content = self._cache.file("cell", key)
        if content is None:
            return None
        try:
            document = json.loads(content)
            record, tables = CellRecord.model_validate(document["record"]), document["tables"]
        except (ValueError, LookupError, TypeError):
            record, tables = None, {}
        if record is None or not is_of(record, cell):
            self._cache.refuse("cell", key)
            return None
        attempts = self.elsewhere.attempts.get(cell.digest, record.cost.attempts)
        reused = record.cost.model_copy(update={"reused": True, "attempts": attempts})
        return record.model_copy(update={"cost": reused}), tables

    def _lose(self, cell: Cell, error: BaseException) -> tuple[CellRecord, Tables]:
        self.faults.append(self._with_file(cell, error))
        self._failed.add(cell.digest)
        return record_of(cell, self.plan.device, status="failed", error=reason_of(error)), {}

    def _with_file(self, cell: Cell, error: BaseException) -> BaseException:
        """The same error for the user's eyes, with the file of a photo that it is of. No record has names."""
        if not isinstance(error, EncoderFault) or not error.photos:
            return error
        repetition = self._repetitions[cell.repetition]
        names = repetition.split.photos
        files = {repetition.data.digest(name): name for name in names}
        released = repetition.publisher.release(cell.cloaking).digests
        files |= dict(zip(released, names, strict=False))  # the released photos come first
        file = files.get(error.photos[0])
        return EncoderFault(f"{error} The photo is {file}.", photos=error.photos) if file else error

    def _compute(self, cell: Cell) -> tuple[CellRecord, Tables]:
        """One cell, as a paper's method section tells it."""
        stages, hits = self.stages(cell), dict(self._cache.hits)
        release = stages.publish()
        seen = stages.look(release)
        costs = stages.measure(release)
        became = stages.judge_files(release, costs, seen)
        with explaining(stages.repetition, lambda: stages.unused(seen)):
            collection = stages.collect(seen)
            tuned = stages.tune(seen, collection)
            on_own_cloaks = stages.try_on_own_cloaks(tuned, collection)
        of_no_use = stages.unused(seen)
        result = stages.attack(tuned, seen, collection, became)
        detected, on_own = stages.detect_cloaks(release)
        result.verdict.scores.update(detected)
        cost = cost_of(stages.clock.seconds, release, self._observer.pool, new_hits(self._cache, hits))
        record = record_attack(
            cell,
            tuned,
            result,
            {**on_own_cloaks, **on_own},
            collection.calibration,
            costs,
            became,
            stages.repetition.split,
            cost,
            stages.view.learned(),
        )
        record = record.model_copy(
            update={
                "unused": counted(of_no_use),
                "suspected": stages.suspected(release),
                "flags": [
                    *record.flags,
                    *doubtful_users(stages.repetition, of_no_use),
                    *stages.doubtful_tuning(),
                ],
            }
        )
        tables = rows(stages.repetition, release, result.verdict, became, costs, seen.released)
        return record, tables | {"unused": columns(of_no_use)}

    def stages(self, cell: Cell) -> Stages:
        """The stages of a cell of the plan, for whoever looks at its photos or embeddings again."""
        repetition = self._repetitions[cell.repetition]
        view = self._views.of(cell.view, cell.cloaking, repetition)
        return Stages(cell, repetition, view, self._runner, self._crowds, Clock())

    def make(self, cell: Cell, share: Share) -> None:
        """Make a part of what a cell needs, ahead of it."""
        make(self.stages(cell), share)

    def _repetition(self, number: int, progress: Progress) -> Repetition:
        split, data = self.plan.splits[number], self.plan.data
        publisher = Publisher(
            data, split, self._observer.finder, self._observer.pool, self._cache, progress, self._lpips
        )
        return Repetition(number, data, split, self.plan.spec.scenario, publisher)

    def key(self, cell: Cell) -> str:
        """Where the store has the cell: a digest of what it is, and of the code and weights it is made by."""
        control = Chosen(*registry.make("defenses", CONTROL))
        chosen = (cell.cloaking.defense, cell.attack.attacker, control)
        found_by = (detectors.lookup(name).module for name in (detectors.USUAL, cell.view.detector_name))
        families = encoders.modules((*cell.cloaking.surrogates, *cell.view.members))
        plugins = (module for plugin in chosen for module in plugin.modules)
        code = stage_code(__name__, *plugins, *found_by, *families)
        measured = [self._lpips.sha256] if self._lpips else []
        return digest("cell", cell.digest, code, self.plan.device, *measured)


def misfit(cell: Cell) -> str:
    """Why a cell is skipped: its attacker does something else than its scenario asks; empty for none."""
    attacker, scenario = cell.attack.attacker, str(cell.scenario["name"])
    kind = role(attacker.plugin)
    if kind not in SCENARIOS[scenario].roles:
        return f"attacker {attacker.name!r} is a {kind}: scenario {' or '.join(scenarios_of(kind))}"
    if kind != "clusterer" and cell.attack.second_step != "none":
        return f"attacker {attacker.name!r} is a {kind}, and a second step follows a clusterer"
    return ""
