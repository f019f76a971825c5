"""`processes:N`: workers on this machine, each a process of its own, with a pipe to it and one from it.

A worker that ends, or says nothing for long, is lost and replaced; its task is told as lost. No worker ever
touches another one's task.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from bench.engines.pool import Ended
from bench.engines.tasks import Answer, Task

SILENCE = 1800.0
"""Seconds without a sign of life after which a worker is taken for hung."""

_PATIENCE = 2.0
"""Seconds that a worker has to end."""


class Processes:
    """A pool of processes."""

    def __init__(
        self,
        count: int,
        environments: Sequence[Mapping[str, str]],
        home: Path,
        *,
        silence: float = SILENCE,
    ) -> None:
        """Store; a worker is started with its first task.

        Args:
            count: How many there are.
            environments: The variables that each one has besides those of this process.
            home: `BENCH_HOME`: what workers say is kept below it, in files without a name.
            silence: See `SILENCE`.
        """
        self._workers: list[_Worker | None] = [None] * count
        self._environments, self._home, self._silence = list(environments), home, silence
        self._waiting: deque[Task] = deque()
        self._selector = selectors.DefaultSelector()

    @property
    def places(self) -> int:
        """See `bench.engines.pool.Pool`."""
        return len(self._workers)

    def submit(self, tasks: Sequence[Task]) -> None:
        """See `bench.engines.pool.Pool`."""
        self._waiting.extend(tasks)
        self._hand_over()

    def wait(self) -> list[Ended]:
        """See `bench.engines.pool.Pool`."""
        ended: list[Ended] = []
        while not ended:
            self._hand_over()  # a worker that ended while it had nothing to do is replaced
            for key, _ in self._selector.select(timeout=1.0):
                ended += self._heard(key.data)
            for number, worker in enumerate(self._workers):
                if worker and worker.task and time.monotonic() - worker.heard > self._silence:
                    ended += self._lose(number, f"it said nothing for {self._silence:g} seconds")
        self._hand_over()
        return ended

    def close(self) -> None:
        """See `bench.engines.pool.Pool`."""
        workers = [worker for worker in self._workers if worker]
        for worker in workers:
            worker.process.terminate()
        for worker in workers:
            worker.end(at_once=False)
        self._selector.close()
        self._workers = []

    def _hand_over(self) -> None:
        for number, worker in enumerate(self._workers):
            if not self._waiting:
                return
            if worker is None:
                worker = self._workers[number] = _Worker(self._environments[number], self._home)
                self._selector.register(worker.out, selectors.EVENT_READ, number)
            if worker.task is None and worker.begin(self._waiting[0]):
                self._waiting.popleft()

    def _heard(self, number: int) -> list[Ended]:
        """What one worker said, or that it is gone."""
        worker = self._workers[number]
        assert worker is not None
        lines = worker.read()
        if lines is None:
            return self._lose(number)
        answers = [line for line in lines if line]
        if not answers:
            return []
        assert worker.task is not None and len(answers) == 1
        task, worker.task = worker.task, None
        return [Ended(task, Answer.from_text(answers[0]))]

    def _lose(self, number: int, why: str = "") -> list[Ended]:
        """Give up a worker: one that is gone, or one that is killed for a reason."""
        worker = self._workers[number]
        assert worker is not None
        self._selector.unregister(worker.out)
        self._workers[number] = None
        reason = worker.end(at_once=bool(why))
        return [Ended(worker.task, None, why or reason)] if worker.task else []


class _Worker:
    """One process.

    Attributes:
        process: The process.
        out: What it says.
        task: What it works at; None for nothing.
        heard: When it last gave a sign of life.
    """

    def __init__(self, environment: Mapping[str, str], home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._said = tempfile.TemporaryFile(dir=home)  # noqa: SIM115 - open as long as the process is
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.engines.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env={**os.environ, **environment},
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self._into: IO[bytes] = self.process.stdin
        self.out: IO[bytes] = self.process.stdout
        self.task: Task | None = None
        self.heard = time.monotonic()
        self._rest = b""

    def begin(self, task: Task) -> bool:
        """Hand a task over; False if the process is gone, which `read` tells."""
        try:
            self._into.write(task.to_text().encode() + b"\n")
            self._into.flush()
        except BrokenPipeError:
            return False
        self.task, self.heard = task, time.monotonic()
        return True

    def read(self) -> list[str] | None:
        """The lines that it said, an empty one for a sign of life; None if it is gone."""
        content = os.read(self.out.fileno(), 1 << 16)
        if not content:
            return None
        self.heard = time.monotonic()
        *lines, self._rest = (self._rest + content).split(b"\n")
        return [line.decode() for line in lines]

    def end(self, *, at_once: bool) -> str:
        """See that it is gone, and say how it went.

        Args:
            at_once: Whether it is killed; otherwise it is about to end, and is given time to.
        """
        if not at_once:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(_PATIENCE)
        if self.process.poll() is None:
            self.process.kill()
        status = self.process.wait()
        with suppress(BrokenPipeError):
            self._into.close()
        self.out.close()
        self._said.seek(0)
        last = self._said.read().decode(errors="replace").strip().splitlines()[-1:]
        self._said.close()
        if status < 0:
            return f"signal {signal.Signals(-status).name} ended it"
        return f"it ended with status {status}" + (f": {last[0]}" if last else "")
