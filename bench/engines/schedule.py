"""What may be done at once: a cell waits for the first cell that makes what it needs, too.

Cells share what is published, what an attacker sees of it, and what an attacker learned. Two workers that
start with two cells of one cloak would both make the cloak. So the first cell that needs something makes it,
and the others wait until that cell is done; from then on they find it in the store.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence

from bench import encoders
from bench.parameters import Plain
from bench.plan.cells import Cell
from bench.store.digests import digest

MOST = 8
"""Cells of one task: as many as share a view, so that a worker seldom waits for another task."""


def needs(cell: Cell, run: int) -> tuple[str, ...]:
    """What a cell needs and others may need, too: names, the same for all cells that share it.

    Args:
        cell: The cell.
        run: The number of its run: the encoders of a run look at photos together.
    """
    cloaking, view = cell.cloaking, cell.view
    published: list[Plain] = [
        cell.split_digest,
        cloaking.defense.described(),
        [encoders.identity(card) for card in cloaking.surrogates],
        str(cloaking.budget),
        cloaking.dose,
        cloaking.seed,
        dict(cloaking.options),
    ]
    looked: list[Plain] = [run, cell.split_digest, view.detector, view.channel, dict(view.options)]
    learned: list[Plain] = [[encoders.identity(card) for card in view.members], view.adaptation.described()]
    return (
        digest("published", published),
        digest("looked", looked),
        digest("looked at", looked, published),
        digest("learned", looked, published, learned),
    )


class Schedule:
    """Cells that are to be computed, and which of them may be now."""

    def __init__(self, needed: Mapping[str, tuple[str, ...]]) -> None:
        """Store.

        Args:
            needed: Cell -> what it needs, in the order in which cells are wanted.
        """
        self._needed, self._open = dict(needed), set(needed)
        self._users: dict[str, deque[str]] = defaultdict(deque)
        for cell, names in needed.items():
            for name in names:
                self._users[name].append(cell)
        self._unclaimed = dict.fromkeys(self._users)  # nobody has made it, and nobody is about to
        self._claims: dict[str, list[str]] = {}
        self._missing = {cell: set(names) for cell, names in needed.items()}
        self._ready: dict[str, dict[str, None]] = defaultdict(dict)

    @classmethod
    def of(cls, cells: Iterable[tuple[Cell, int]]) -> Schedule:
        """Cells, each with the number of its run."""
        return cls({cell.digest: needs(cell, run) for cell, run in cells})

    def next(self) -> list[str]:
        """Cells for one worker, which are no longer open; empty while all wait for others.

        A cell that makes what others wait for goes first, and alone. The others go with those that share all
        of it.
        """
        for name in self._unclaimed:
            cell = self._first_user(name)
            if cell is not None and self._missing[cell] <= self._unclaimed.keys():
                self._claims[cell] = sorted(self._missing[cell])
                for claimed in self._claims[cell]:
                    del self._unclaimed[claimed]
                self._open.remove(cell)
                return [cell]
        largest = max(self._ready, key=lambda view: len(self._ready[view]), default=None)
        if largest is None:
            return []
        cells = list(self._ready[largest])[:MOST]
        self._open -= set(cells)
        for cell in cells:
            del self._ready[largest][cell]
        if not self._ready[largest]:
            del self._ready[largest]
        return cells

    def end(self, cells: Sequence[str]) -> None:
        """Cells are done, or given up: what they made is there, or others make it."""
        for cell in cells:
            for name in self._claims.pop(cell, ()):
                for user in self._needed_by(name):
                    self._missing[user].discard(name)
                    self._note(user)

    def put_back(self, cells: Sequence[str]) -> None:
        """Cells were begun and lost: they are open again."""
        for cell in cells:
            self._open.add(cell)
            self._unclaimed |= dict.fromkeys(self._claims.pop(cell, ()))
            for name in self._needed[cell]:
                self._users[name].appendleft(cell)
            self._note(cell)

    def _first_user(self, name: str) -> str | None:
        """The first open cell that needs something."""
        users = self._users[name]
        while users and users[0] not in self._open:
            users.popleft()
        return users[0] if users else None

    def _needed_by(self, name: str) -> list[str]:
        return [cell for cell in dict.fromkeys(self._users[name]) if cell in self._open]

    def _note(self, cell: str) -> None:
        """Put a cell among those that may be computed, if it waits for nothing."""
        if cell in self._open and not self._missing[cell]:
            self._ready[self._needed[cell][-1]][cell] = None
