"""A worker of `bench.engines.processes`: a line in is a task, a line out an answer.

Besides answers it says that it is alive: an empty line at every step of progress. It ends when its standard
input does, in the midst of a task, too: whoever asked for the task is gone then.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from bench.machine.progress import Advance

PULSE = 1.0
"""Seconds between two signs of life, at least."""


def main() -> None:
    """Do tasks until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; one decides
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what libraries print is no answer
    tasks: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, tasks), daemon=True).start()
    try:
        _work(tasks, out)
    except BaseException:  # noqa: BLE001 - Python's usual end waits for a lock that the thread above holds
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def _work(tasks: queue.SimpleQueue[str], out: BinaryIO) -> None:
    pulse = _Pulse(out)
    while True:
        task = tasks.get()
        from bench.engines.tasks import perform_told  # loads everything: only where there is work

        _say(out, perform_told(task, pulse))


def _read(source: BinaryIO, tasks: queue.SimpleQueue[str]) -> None:
    for line in source:
        tasks.put(line.decode())
    os._exit(0)


def _say(out: BinaryIO, text: str) -> None:
    try:
        out.write(text.encode() + b"\n")
    except BrokenPipeError:  # nobody listens any more
        os._exit(0)


class _Pulse:
    """A receiver of progress that says that something goes on."""

    def __init__(self, out: BinaryIO) -> None:
        self._out, self._said = out, time.monotonic()

    @contextmanager
    def stage(self, name: str, total: int) -> Iterator[Advance]:
        del name, total
        yield self._beat

    def _beat(self, count: int = 1) -> None:
        del count
        now = time.monotonic()
        if now - self._said > PULSE:
            self._said = now
            _say(self._out, "")


if __name__ == "__main__":
    main()
