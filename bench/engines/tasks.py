"""What a worker is handed, what it answers, and the work itself. All of it is plain text."""

from __future__ import annotations

import json
import os
import platform
import traceback
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from bench.costs.measured import keep as keep_costs
from bench.errors import RefusedError, UserError, interrupted
from bench.experiment.asked import spec_of, written
from bench.experiment.pipeline import Pipeline
from bench.experiment.session import distinct_cells, metered
from bench.experiment.shares import Share
from bench.faces.finder import detector_parameters
from bench.machine.devices import device
from bench.machine.progress import Progress, Silent
from bench.plan.cells import Cell
from bench.plan.resolve import resolve
from bench.plan.spec import RunSpec
from bench.store.cache import Cache
from bench.store.folders import folders
from bench.store.shared import VARIABLE
from bench.types import Folders


@dataclass(frozen=True)
class Job:
    """What all tasks of a command have in common.

    Attributes:
        specs: The runs, each as option -> value.
        home: The folder `BENCH_HOME`; the store is in it.
        real_data: The folder `BENCH_REAL_DATA`; None for none.
        threads: How many threads a worker computes with.
        machine: The name of the machine that `home` is on.
        store: The store that machines share; None for none.
    """

    specs: tuple[Mapping[str, Any], ...]
    home: str
    real_data: str | None
    threads: int
    machine: str = field(default_factory=platform.node)
    store: str | None = field(default_factory=lambda: os.environ.get(VARIABLE))

    @classmethod
    def of(cls, specs: Sequence[RunSpec], folders: Folders, threads: int) -> Job:
        """Write runs down.

        Raises:
            UserError: A run has a defense that is a function, which no other process knows.
        """
        asked = [written(spec) for spec in specs]
        if None in asked:
            raise UserError(
                "a defense that is a function of this program, or the cloaks of another tool, is unknown to "
                "other processes. Leave --engine out, or make a plug-in of it: docs/add-a-defense.md."
            )
        home = str(Path(folders.home).resolve())
        real = folders.real_data and str(Path(folders.real_data).resolve())
        return cls(tuple(one for one in asked if one), home, real, threads)


@dataclass(frozen=True)
class Task:
    """Cells that one worker computes one after another.

    Attributes:
        job: What all tasks share.
        cells: Cell digest -> where the store is to have it (`Pipeline.key`), in order.
        share: What is made ahead of the first of them, in the place of all of them; None for nothing.
        needed: The name of what that is a part of.
    """

    job: Job
    cells: Mapping[str, str]
    share: Share | None = None
    needed: str = ""

    def to_text(self) -> str:
        """The task as text, for a worker."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Task:
        """The task that `to_text` wrote."""
        document = json.loads(text)
        job = document["job"]
        share = document["share"] and Share(**document["share"])
        specs = tuple(job["specs"])
        return cls(Job(**job | {"specs": specs}), document["cells"], share, document["needed"])


@dataclass(frozen=True)
class Fault:
    """Why a cell has no result.

    Attributes:
        kind: The name of the error's class.
        message: What it said.
        trace: Its traceback; empty for an error that the user can mend.
        refused: Whether the user can mend it.
    """

    kind: str
    message: str
    trace: str = ""
    refused: bool = False


@dataclass(frozen=True)
class Answer:
    """What a worker says of a task.

    Attributes:
        faults: Cell digest -> why it has no result; the results of all others are in the store.
        refused: One line on what ends the whole run; empty for nothing.
    """

    faults: Mapping[str, Fault] = field(default_factory=dict)
    refused: str = ""

    def to_text(self) -> str:
        """The answer as text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Answer:
        """The answer that `to_text` wrote."""
        document = json.loads(text)
        return cls({cell: Fault(**fault) for cell, fault in document["faults"].items()}, document["refused"])


_one_by_one = ThreadPoolExecutor(1, "bench-task")
"""Does the tasks of a process whose threads all ask for some: networks and the store belong to one thread."""


def perform(text: str) -> str:
    """Do a task, and keep at hand what the next one of the same command needs. Any thread may ask.

    Args:
        text: See `Task.to_text`.

    Returns:
        See `Answer.to_text`.
    """
    return _one_by_one.submit(perform_told, text, Silent()).result()


def perform_told(text: str, progress: Progress) -> str:
    """The same in the thread that asks, always the same one, telling of every stage.

    Args:
        text: See `Task.to_text`.
        progress: Is told.

    Returns:
        See `Answer.to_text`.
    """
    task = Task.from_text(text)
    try:
        return _workshop(task.job).perform(task, progress).to_text()
    except UserError as error:
        return Answer(refused=str(error)).to_text()


class _Workshop:
    """The runs of one command, resolved, with the networks that were loaded for them."""

    def __init__(self, job: Job) -> None:
        where = _folders(job)
        torch.set_num_threads(job.threads)
        specs = map(spec_of, job.specs)
        plans = distinct_cells(
            [resolve(spec, where, detector_parameters(), device(spec.device)) for spec in specs]
        )
        self._told = _Relay()
        self._cache = Cache(Path(where.home))
        self._meter = self._cache.listener = metered(plans, self._told)
        self._cells: dict[str, tuple[Pipeline, Cell]] = {}
        for plan in plans:
            pipeline = Pipeline(plan, where, self._cache, self._meter)
            self._cells |= {cell.digest: (pipeline, cell) for cell in plan.cells}

    def perform(self, task: Task, progress: Progress) -> Answer:
        """Compute the cells of a task; a fault of one leaves the others alone."""
        self._told.listener = progress
        self._cache.look_again()  # whoever made what this task needs has only just done so
        if task.share:
            return self._make_ahead(task, task.share)
        faults: dict[str, Fault] = {}
        try:
            for digest, key in task.cells.items():
                pipeline, cell = self._cell(digest, key)
                record, _ = pipeline.run_cell(cell)
                self._meter.finish(record)
                if record.status == "failed":
                    faults[digest] = _fault(pipeline.faults.pop())
        finally:
            keep_costs(self._meter.measured, self._cache)
            self._cache.close()
        return Answer(faults)

    def _make_ahead(self, task: Task, share: Share) -> Answer:
        """Make a part of what a cell needs."""
        [(digest, key), *_] = task.cells.items()
        pipeline, cell = self._cell(digest, key)
        try:
            pipeline.make(cell, share)
        except Exception as error:
            of_all = isinstance(error, UserError) and not isinstance(error, RefusedError)  # files and disks
            if of_all or interrupted(error):
                raise
            return Answer({digest: _fault(error)})
        finally:
            self._meter.finish_part(digest)
            keep_costs(self._meter.measured, self._cache)
            self._cache.close()
        return Answer()

    def _cell(self, digest: str, key: str) -> tuple[Pipeline, Cell]:
        """A cell that is here what it is to whoever asks for it.

        Raises:
            UserError: It is not: code, plug-ins, data or weights are others here.
        """
        pipeline, cell = self._cells.get(digest, (None, None))
        if pipeline is None or cell is None or pipeline.key(cell) != key:
            raise UserError(
                f"a worker would compute cell {digest[:12]} from other code, data or weights than this "
                "command. Install the same version with the same plug-ins for it, and give both the same "
                "BENCH_HOME."
            )
        return pipeline, cell


def _folders(job: Job) -> Folders:
    """Where a worker finds weights, data and its copy of the store.

    Raises:
        UserError: It is on another machine, and there is no store that both share.
    """
    if job.store is not None:
        os.environ[VARIABLE] = job.store
    if platform.node() == job.machine:
        return Folders(home=job.home, real_data=job.real_data)
    if job.store is None:
        raise UserError(
            f"a worker is on {platform.node()}, and the store in {job.home} is on {job.machine}. Name one "
            f"that both see: {VARIABLE}, a folder or s3://BUCKET/FOLDER."
        )
    return folders()


class _Relay:
    """A receiver of progress that hands everything on to whoever listens at the moment."""

    def __init__(self) -> None:
        self.listener: Progress = Silent()

    def stage(self, name: str, total: int) -> Any:
        return self.listener.stage(name, total)


_at_hand: dict[str, _Workshop] = {}
"""The workshop of the last command, by its job."""


def _workshop(job: Job) -> _Workshop:
    """The workshop of a command; that of the command before is given up."""
    name = json.dumps(asdict(job))
    if name not in _at_hand:
        _at_hand.clear()
        _at_hand[name] = _Workshop(job)
    return _at_hand[name]


def _fault(error: BaseException) -> Fault:
    refused = isinstance(error, RefusedError)
    trace = "" if refused else "".join(traceback.format_exception(error))
    return Fault(type(error).__name__, str(error), trace, refused)
