"""Which results lead to which others: the uses that processes noted, as a graph."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bench.store.seals import opened
from bench.store.uses import BATCH, USE, Use, read_batch, read_use


@dataclass(frozen=True)
class Graph:
    """The uses of one store, by name.

    Attributes:
        uses: Name -> use.
        connection: To the rows, which have the batches.
    """

    uses: dict[str, Use]
    connection: sqlite3.Connection

    @classmethod
    def of(cls, connection: sqlite3.Connection) -> Graph:
        """Read the uses of a store; damaged ones are left out."""
        uses = {}
        for key, value in connection.execute("SELECT key, value FROM row WHERE stage = ?", (USE,)):
            content = opened(USE, key, value)
            if content is not None:
                uses[key] = read_use(content)
        return cls(uses, connection)

    @property
    def first(self) -> int:
        """The day of the first use; 0 if there is none."""
        return min((use.day for use in self.uses.values()), default=0)

    def days(self) -> Iterator[tuple[str, list[str], int]]:
        """Stage, keys and day of everything that was used, the last day first."""
        walk = _Walk(self)
        for name in sorted(self.uses, key=lambda name: -self.uses[name].day):
            day = self.uses[name].day
            for stage, keys in walk.reach([name]):
                yield stage, keys, day

    def reached(self, names: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
        """Stage and keys of everything that some uses reach."""
        yield from _Walk(self).reach(names)

    def needed(self, names: Iterable[str]) -> tuple[set[str], set[str]]:
        """The names of the uses that some uses reach, themselves included, and of their batches."""
        walk = _Walk(self)
        for _ in walk.reach(names):
            pass
        return walk.uses, walk.batches


class _Walk:
    """One walk through a graph, which comes by no use and no batch twice."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.uses: set[str] = set()
        self.batches: set[str] = set()

    def reach(self, names: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
        waiting = [name for name in names if name in self._graph.uses]
        while waiting:
            name = waiting.pop()
            if name in self.uses:
                continue
            self.uses.add(name)
            use = self._graph.uses[name]
            if use.before in self._graph.uses:
                waiting.append(use.before)
            for batch in use.batches:
                if batch in self.batches:
                    continue
                self.batches.add(batch)
                stage, keys = self._batch(batch)
                waiting += [at for at in (f"{stage}/{key}" for key in keys) if at in self._graph.uses]
                yield stage, keys

    def _batch(self, name: str) -> tuple[str, list[str]]:
        found = self._graph.connection.execute(
            "SELECT value FROM row WHERE stage = ? AND key = ?", (BATCH, name)
        ).fetchone()
        content = opened(BATCH, name, found[0]) if found else None
        return read_batch(content) if content is not None else ("", [])
