"""Names of a table in a sentence: what the table has, texts say."""

from __future__ import annotations

from collections.abc import Iterable


def either(names: Iterable[str]) -> str:
    """Join names as `a, b or c`."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last
