"""`slurm`: every task is a job of SLURM, by submitit; with `slurm:local`, a process of this machine."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from typing import Any

from bench.engines.pool import Ended
from bench.engines.tasks import Answer, Task, perform
from bench.errors import UserError

_PAUSE = {"slurm": 5.0, "local": 0.2}
"""Seconds between two looks at jobs."""

_MINUTES = 24 * 60
"""What a job may take where nothing else is asked for."""


class SlurmPool:
    """A pool of jobs."""

    def __init__(self, where: str, jobs: int, parameters: Mapping[str, Any], home: Path) -> None:
        """See that jobs can be submitted.

        Args:
            where: `slurm` or `local`.
            jobs: How many jobs there are at once.
            parameters: What submitit's `update_parameters` takes.
            home: `BENCH_HOME`: what jobs write is put below it.

        Raises:
            UserError: submitit is not installed, there is no SLURM, or a parameter does not exist.
        """
        try:
            import submitit
        except ImportError as error:
            raise UserError(
                "the engine slurm needs a package that is not installed. "
                "Type: pip install 'cloakbench[slurm]'"
            ) from error
        try:
            self._executor = submitit.AutoExecutor(folder=home / "engines" / "slurm" / "%j", cluster=where)
            self._executor.update_parameters(**{"timeout_min": _MINUTES, "name": "cloakbench", **parameters})
        except (RuntimeError, NameError, TypeError, ValueError) as error:
            raise UserError(
                f"jobs of SLURM cannot be submitted here: {error}. Where 'sbatch' is missing, --engine "
                "slurm:local runs the same jobs on this machine; parameters are those of submitit."
            ) from error
        self._failed = submitit.core.utils.UncompletedJobError, submitit.core.utils.FailedJobError
        self._jobs, self._pause = jobs, _PAUSE[where]
        self._running: list[tuple[Any, Task]] = []

    @property
    def places(self) -> int:
        """See `bench.engines.pool.Pool`."""
        return self._jobs

    def submit(self, tasks: Sequence[Task]) -> None:
        """See `bench.engines.pool.Pool`."""
        jobs = self._executor.map_array(perform, [task.to_text() for task in tasks])
        self._running += zip(jobs, tasks, strict=True)

    def wait(self) -> list[Ended]:
        """See `bench.engines.pool.Pool`."""
        while True:
            done = [(job, task) for job, task in self._running if job.done()]
            if done:
                self._running = [pair for pair in self._running if pair not in done]
                return [self._ended(job, task) for job, task in done]
            time.sleep(self._pause)

    def close(self) -> None:
        """See `bench.engines.pool.Pool`."""
        for job, _ in self._running:
            with suppress(OSError):
                job.cancel(check=False)

    def _ended(self, job: Any, task: Task) -> Ended:
        try:
            answer = Answer.from_text(job.result())
        except self._failed as error:
            said = [line for line in str(error).splitlines() if line.strip()] or ["the job left no result"]
            return Ended(task, None, f"job {job.job_id}: {said[-1].strip()}")
        rmtree(job.paths.folder, ignore_errors=True)  # the files of jobs that were lost stay, to be looked at
        return Ended(task, answer)
