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
        self._cells = cells
        self._keys = {digest: pipeline.key(cell) for digest, (cell, pipeline, _) in cells.items()}
        self._schedule = Schedule.of(cells.values(), in_parts=pool.places > 1)
        self._tried: Counter[str] = Counter()
        self._lost_alone: Counter[str] = Counter()
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
            portion = self._schedule.next()
            if portion is None:
                break
            cells = list(portion.cells)
            if portion.share:
                keys = {cell: self._keys[cell] for cell in cells}
                tasks.append(Task(self._job, keys, portion.share, portion.needed))
                continue
            # whoever was lost together is tried one by one, so that the guilty one is found
            parts = [cells] if self._alone.isdisjoint(cells) else [[cell] for cell in cells]
            tasks += [Task(self._job, {cell: self._keys[cell] for cell in part}) for part in parts]
        return tasks

    def _heed(self, ended: Ended) -> None:
        if ended.task.share:
            self._heed_part(ended)
        elif ended.answer is not None:
            self._accept(list(ended.task.cells), ended.answer)
        else:
            self._retry(list(ended.task.cells), ended.lost)

    def _heed_part(self, ended: Ended) -> None:
        """A part of what a cell needs is made; one that is not is made by the cell."""
        if ended.answer is None:
            _log.warning("a worker was lost (%s) with a part of what a cell needs", ended.lost)
        elif ended.answer.refused:
            raise UserError(ended.answer.refused)
        else:
            for cell, fault in ended.answer.faults.items():
                _log.warning("a part of what cell %s needs: %s: %s", cell[:12], fault.kind, fault.message)
        self._schedule.end_part(ended.task.needed)

    def _accept(self, cells: list[str], answer: Answer) -> None:
        if answer.refused:
            raise UserError(answer.refused)
        self._elsewhere.faults |= {cell: _error(fault) for cell, fault in answer.faults.items()}
        self._end(cells)

    def _end(self, cells: list[str]) -> None:
        self._elsewhere.attempts |= {cell: self._tried[cell] + 1 for cell in cells if self._tried[cell]}
        self._schedule.end(cells)
        self._advance(len(cells))

    def _retry(self, cells: list[str], why: str) -> None:
        """Compute cells again whose worker is gone; one that was alone too often is set aside.

        What the worker had stored before it was lost is done.
        """
        stored = [cell for cell in cells if self._is_stored(cell)]
        self._end(stored)
        cells = [cell for cell in cells if cell not in stored]
        self._tried.update(cells)
        if len(cells) > 1:
            self._alone |= set(cells)
            _log.warning("a worker was lost (%s) with %d cells; they are tried one by one", why, len(cells))
        elif cells:
            (cell,) = cells
            self._lost_alone[cell] += 1
            lost = self._lost_alone[cell]
            _log.warning("a worker was lost (%s) with cell %s alone, for the %d. time", why, cell[:12], lost)
            if lost >= TRIES:
                reason = f"{lost} workers were lost that computed it; the last one: {why}"
                self._elsewhere.faults[cell] = FaultElsewhere("", reason)
                self._end(cells)
                return
        self._schedule.put_back(cells)

    def _is_stored(self, digest: str) -> bool:
        cell, pipeline, _ = self._cells[digest]
        return pipeline.is_stored(cell)


def _error(fault: Fault) -> RefusedError | FaultElsewhere:
    if fault.refused:
        return RefusedError(fault.message)
    return FaultElsewhere(fault.kind, fault.message, fault.trace)
