"""See that all cells of a run are computed, whatever becomes of workers."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

from bench.engines.pool import Ended, Pool
from bench.engines.schedule import Schedule
from bench.engines.tasks import Answer, Fault, Job, Task
from bench.errors import RefusedError, UserError
from bench.experiment.elsewhere import Elsewhere, FaultElsewhere
from bench.experiment.pipeline import Pipeline, misfit
from bench.machine.progress import Advance, Progress
from bench.plan.cells import Cell

TRIES = 3
"""How often a cell may take its worker with it before it is set aside."""

_log = logging.getLogger("bench")


def drive(job: Job, pipelines: Sequence[Pipeline], pool: Pool, progress: Progress) -> Elsewhere:
    """Have all cells computed that the store lacks.

    Args:
        job: What all tasks share.
        pipelines: The runs; they say what is in the store.
        pool: Where the work is done; it stays open.
        progress: Is told of every cell.

    Raises:
        UserError: A worker cannot do the work, for a reason that concerns all cells.
    """
    cells = {
        cell.digest: (cell, pipeline, run)
        for run, pipeline in enumerate(pipelines)
        for cell in pipeline.plan.cells
        if not misfit(cell) and not pipeline.is_stored(cell)
    }
    with progress.stage(f"cells, by {pool.places} at once", len(cells)) as advance:
        return _Drive(job, cells, pool, advance).carry_out()


class _Drive:
    def __init__(
        self, job: Job, cells: dict[str, tuple[Cell, Pipeline, int]], pool: Pool, advance: Advance
    ) -> None:
        self._job, self._pool, self._advance = job, pool, advance
        self._keys = {digest: pipeline.key(cell) for digest, (cell, pipeline, _) in cells.items()}
        self._schedule = Schedule.of((cell, run) for cell, _, run in cells.values())
        self._lost: Counter[str] = Counter()
        self._alone: set[str] = set()
        self._elsewhere = Elsewhere()

    def carry_out(self) -> Elsewhere:
        """Hand over as much as fits, and wait; until nothing is left."""
        at_work = 0
        while True:
            tasks = self._tasks(self._pool.places - at_work)
            if tasks:
                self._pool.submit(tasks)
                at_work += len(tasks)
            if not at_work:
                return self._elsewhere
            for ended in self._pool.wait():
                at_work -= 1
                self._heed(ended)

    def _tasks(self, most: int) -> list[Task]:
        tasks: list[Task] = []
        while len(tasks) < most:
            cells = self._schedule.next()
            if not cells:
                break
            # whoever was lost together is tried one by one, so that the guilty one is found
            parts = [cells] if self._alone.isdisjoint(cells) else [[cell] for cell in cells]
            tasks += [Task(self._job, {cell: self._keys[cell] for cell in part}) for part in parts]
        return tasks

    def _heed(self, ended: Ended) -> None:
        if ended.answer is not None:
            self._accept(list(ended.task.cells), ended.answer)
        else:
            self._retry(list(ended.task.cells), ended.lost)

    def _accept(self, cells: list[str], answer: Answer) -> None:
        if answer.refused:
            raise UserError(answer.refused)
        self._elsewhere.faults |= {cell: _error(fault) for cell, fault in answer.faults.items()}
        self._elsewhere.attempts |= {cell: self._lost[cell] + 1 for cell in cells if self._lost[cell]}
        self._schedule.end(cells)
        self._advance(len(cells))

    def _retry(self, cells: list[str], why: str) -> None:
        """Compute cells again whose worker is gone; one that was alone too often is set aside."""
        if len(cells) > 1:
            self._alone |= set(cells)
            _log.warning("a worker was lost (%s) with %d cells; they are tried one by one", why, len(cells))
        else:
            (cell,) = cells
            self._lost[cell] += 1
            _log.warning("a worker was lost (%s) with cell %s, try %d", why, cell[:12], self._lost[cell])
            if self._lost[cell] >= TRIES:
                reason = f"{self._lost[cell]} workers were lost that computed it; the last one: {why}"
                self._elsewhere.faults[cell] = FaultElsewhere("", reason)
                self._schedule.end(cells)
                self._advance()
                return
        self._schedule.put_back(cells)


def _error(fault: Fault) -> RefusedError | FaultElsewhere:
    if fault.refused:
        return RefusedError(fault.message)
    return FaultElsewhere(fault.kind, fault.message, fault.trace)
