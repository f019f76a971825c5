"""Progress with the time left, on stderr, for every stage that takes longer than two seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

PATIENCE = 2.0
"""The seconds before the first report."""

_TERMINAL_EVERY, _LOG_EVERY = 0.2, 10.0


class Advance(Protocol):
    """Reports that `count` more units are done."""

    def __call__(self, count: int = 1) -> None:
        """Add to the number of units done."""


class Progress(Protocol):
    """A receiver of progress."""

    def stage(self, name: str, total: int) -> AbstractContextManager[Advance]:
        """Open a stage of `total` units; the scope gives the function that advances it."""


class Silent:
    """A receiver that prints nothing; the default from Python."""

    @contextmanager
    def stage(self, name: str, total: int) -> Iterator[Advance]:
        """Accept and drop every report."""
        del name, total

        def advance(count: int = 1) -> None:
            del count

        yield advance


class Terminal:
    """A line on stderr: redrawn on a terminal, a new line every ten seconds in a log."""

    @contextmanager
    def stage(self, name: str, total: int) -> Iterator[Advance]:
        """Show how much of the stage is done, and the time left at the present pace."""
        live = sys.stderr.isatty()
        start = time.monotonic()
        done, shown, said = 0, start + PATIENCE - (_TERMINAL_EVERY if live else _LOG_EVERY), False

        def advance(count: int = 1) -> None:
            nonlocal done, shown, said
            done += count
            now = time.monotonic()
            if now - start < PATIENCE or now - shown < (_TERMINAL_EVERY if live else _LOG_EVERY):
                return
            shown, said = now, True
            left = (now - start) / max(done, 1) * (total - done)
            line = f"{name}: {done}/{total}, {duration(left)} left"
            sys.stderr.write(f"\r\x1b[2K{line}" if live else f"{line}\n")
            sys.stderr.flush()

        try:
            yield advance
        finally:
            if said:
                line = f"{name}: {done}/{total} in {duration(time.monotonic() - start)}"
                sys.stderr.write(f"\r\x1b[2K{line}\n" if live else f"{line}\n")
                sys.stderr.flush()


def duration(seconds: float) -> str:
    """`42 s`, `3 min 5 s`, `2 h 10 min`."""
    whole = round(max(seconds, 0))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
