"""How much of each kind of work there is."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.costs.work import Work


@dataclass
class Ledger:
    """Kinds of work, and how many pieces of each.

    Attributes:
        held: Kind of work -> how many results of it there are already.
    """

    held: Counter[str] = field(default_factory=Counter)
    _pieces: dict[str, tuple[Work, int]] = field(default_factory=dict)

    def add(self, work: Work, times: int = 1) -> None:
        """Add pieces of a kind of work; none is no work."""
        if times < 1:
            return
        key = json.dumps([work.kind, work.noun, work.size], sort_keys=True)
        self._pieces[key] = work, self._pieces.get(key, (work, 0))[1] + times

    def so_far(self) -> dict[str, tuple[Work, int]]:
        """A name of each kind of work -> the work, and how many pieces of it there are by now."""
        return dict(self._pieces)

    def __iter__(self) -> Iterator[tuple[Work, int]]:
        """Each kind of work, and how many pieces of it."""
        return iter(self._pieces.values())

    def count(self, kind: str) -> int:
        """How many pieces of work there are of one kind."""
        return sum(times for work, times in self if work.kind == kind)
