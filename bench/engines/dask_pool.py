"""`dask`: workers of dask.distributed, of a cluster on this machine or of one that is there already.

A cluster of Kubernetes or SLURM that dask-jobqueue or another package makes is one with an address. Dask is
asked for nothing but to run a function: it retries nothing, and what it holds in memory are answers.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.engines.pool import Ended
from bench.engines.tasks import Answer, Task, perform
from bench.errors import UserError

_BEGIN = 60
"""Seconds that a cluster has to answer for the first time."""


class DaskPool:
    """A pool of dask workers."""

    def __init__(self, address: str, count: int, home: Path) -> None:
        """Find the cluster, or make one.

        Args:
            address: The scheduler's, such as `tcp://node1:8786`; empty for a cluster on this machine.
            count: How many workers a cluster on this machine has.
            home: `BENCH_HOME`: what dask writes is put below it.

        Raises:
            UserError: Dask is not installed, or nobody answers.
        """
        folder = home / "engines" / "dask"
        os.environ.setdefault("DASK_CONFIG", str(folder / "config"))  # it writes an example there when loaded
        try:
            import dask
            import distributed as loaded
        except ImportError as error:
            raise UserError(
                "the engine dask needs a package that is not installed. Type: pip install 'cloakbench[dask]'"
            ) from error
        distributed: Any = loaded  # it has few types
        self._dask = distributed
        self._cluster: Any = None
        with dask.config.set({"distributed.scheduler.allowed-failures": 0}):
            if address:
                self._client = _client(distributed, address)
            else:
                self._cluster = distributed.LocalCluster(
                    n_workers=count,
                    threads_per_worker=1,
                    dashboard_address=None,
                    local_directory=str(folder),
                    silence_logs=50,
                )
                self._client = distributed.Client(self._cluster)
        self._running: dict[Any, Task] = {}

    @property
    def places(self) -> int:
        """See `bench.engines.pool.Pool`."""
        return max(1, len(self._client.nthreads()))  # a worker does one task at a time

    def submit(self, tasks: Sequence[Task]) -> None:
        """See `bench.engines.pool.Pool`."""
        for task in tasks:
            name = f"bench-{uuid.uuid4().hex}"
            future = self._client.submit(perform, task.to_text(), key=name, pure=False, retries=0)
            self._running[future] = task

    def wait(self) -> list[Ended]:
        """See `bench.engines.pool.Pool`."""
        done = self._dask.wait(list(self._running), return_when="FIRST_COMPLETED").done
        return [self._ended(future, self._running.pop(future)) for future in done]

    def close(self) -> None:
        """See `bench.engines.pool.Pool`."""
        self._client.cancel(list(self._running), force=True)
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()

    def _ended(self, future: Any, task: Task) -> Ended:
        try:
            return Ended(task, Answer.from_text(future.result()))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is why there is no answer
            return Ended(task, None, f"{type(error).__name__}: {error}".splitlines()[0])


def _client(distributed: Any, address: str) -> Any:
    """A client of a cluster that is there.

    Raises:
        UserError: Nobody answers.
    """
    try:
        client = distributed.Client(address, timeout=_BEGIN)
        client.wait_for_workers(1, timeout=_BEGIN)
    except (OSError, ValueError, TimeoutError) as error:
        raise UserError(
            f"no cluster of dask with a worker answers at {address}: {error}. Start one, such as with "
            "'dask scheduler' and 'dask worker ADDRESS', or leave the address out."
        ) from error
    return client
