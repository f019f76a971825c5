"""Commands that look and change nothing: what they would keep, they keep in memory until they end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_READING = ContextVar("only_reading", default=False)


@contextmanager
def only_reading() -> Iterator[None]:
    """Have everything that is opened in this scope leave `BENCH_HOME` as it is."""
    token = _READING.set(True)
    try:
        yield
    finally:
        _READING.reset(token)


def reading() -> bool:
    """Whether nothing may be written now."""
    return _READING.get()
