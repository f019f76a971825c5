"""The engine of a command, as `bench.experiment.session.execute` takes it."""

from __future__ import annotations

import os
from collections.abc import Sequence

import torch

from bench.engines.drive import drive
from bench.engines.names import parse, pool_of
from bench.engines.tasks import Job
from bench.experiment.elsewhere import Elsewhere
from bench.experiment.pipeline import Pipeline
from bench.experiment.session import Ahead
from bench.machine.progress import Progress
from bench.plan.spec import RunSpec
from bench.types import Folders


def engine(text: str) -> Ahead | None:
    """What has cells computed by other processes; None for `local`.

    Args:
        text: As `--engine` takes it.

    Raises:
        UserError: There is no such engine.
    """
    chosen = parse(text)
    if chosen.kind == "local":
        return None

    def ahead(
        specs: Sequence[RunSpec], pipelines: Sequence[Pipeline], folders: Folders, progress: Progress
    ) -> Elsewhere:
        threads = torch.get_num_threads()
        if "OMP_NUM_THREADS" not in os.environ:
            threads = max(1, threads // chosen.together)
        job = Job.of(specs, folders, threads)
        devices = [pipeline.plan.device for pipeline in pipelines]
        pool = pool_of(chosen, folders, devices, threads)
        try:
            return drive(job, pipelines, pool, progress)
        finally:
            pool.close()

    return ahead
