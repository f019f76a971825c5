"""What may be done at once: a cell waits for the first cell that makes what it needs, too.

Cells share what is published, what an attacker sees of it, and what an attacker learned. Two workers that
start with two cells of one cloak would both make the cloak. So the first cell that needs something makes it,
and the others wait until that cell is done; from then on they find it in the store. What can be made in parts
is made in parts before, by several workers at once.
"""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bench import encoders
from bench.experiment.pipeline import Pipeline
from bench.experiment.shares import Share, counts
from bench.parameters import Plain
from bench.plan.cells import Cell, Plan
from bench.recognition.attacker_view import as_it_is
from bench.store.digests import digest

_LOOKS = (1, 2)
"""Which of a cell's needs are looks."""

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


@dataclass(frozen=True)
class Portion:
    """Work for one worker.

    Attributes:
        cells: Cells, one after another; of a share, a cell that needs it.
        share: What is made for that cell; None for the cells themselves.
        needed: The name of what it is a part of; empty for cells.
    """

    cells: tuple[str, ...]
    share: Share | None = None
    needed: str = ""


@dataclass
class Parts:
    """What can be made in parts.

    Attributes:
        cell: A cell that needs it.
        kinds: Kinds of parts and their numbers; a kind is begun when the one before it is made.
        handed: How many parts of the first kind were handed over.
        at_work: How many of these are not made yet.
    """

    cell: str
    kinds: list[tuple[str, int]]
    handed: int = field(default=0, init=False)
    at_work: int = field(default=0, init=False)

    def next(self) -> Share | None:
        """A part that can be made now; None where there is none, or none yet."""
        if not self.kinds or self.handed == self.kinds[0][1]:
            return None
        kind, of = self.kinds[0]
        self.handed, self.at_work = self.handed + 1, self.at_work + 1
        return Share(kind, self.handed - 1, of)

    def end(self) -> bool:
        """A part is made; whether all parts of its kind are."""
        self.at_work -= 1
        whole = not self.at_work and self.handed == self.kinds[0][1]
        if whole:
            self.kinds, self.handed = self.kinds[1:], 0
        return whole


@dataclass(frozen=True)
class Want:
    """What a cell needs.

    Attributes:
        names: See `needs`.
        kinds: For each of these, the kinds of parts that it can be made in, and their numbers.
        as_it_is: Whether the cell looks once, through networks as they were published.
    """

    names: tuple[str, ...]
    kinds: tuple[list[tuple[str, int]], ...]
    as_it_is: bool

    @classmethod
    def of(cls, cell: Cell, run: int, plan: Plan) -> Want:
        """What a cell of a plan needs, by the number of its run."""
        kinds = counts(cell, plan.splits[cell.repetition], plan.device)
        return cls(needs(cell, run), kinds, as_it_is(cell.view))


def parts_of(wants: Mapping[str, Want]) -> dict[str, Parts]:
    """What is needed -> how it can be made in parts.

    Args:
        wants: Cell -> what it needs.
    """
    ranks, parts = dict[str, tuple[int, ...]](), dict[str, Parts]()
    for cell, want in wants.items():
        for place, (name, kinds) in enumerate(zip(want.names, want.kinds, strict=True)):
            # the cell that needs most of it says what it is; one that looks through networks as they are has
            # all others look with it
            rank = (place in _LOOKS and want.as_it_is, sum(count for _, count in kinds))
            if kinds and rank > ranks.get(name, (False, 0)):
                ranks[name], parts[name] = rank, Parts(cell, list(kinds))
    return parts


class Schedule:
    """Cells that are to be computed, and which of them may be now."""

    def __init__(
        self, needed: Mapping[str, tuple[str, ...]], parts: Mapping[str, Parts] | None = None
    ) -> None:
        """Store.

        Args:
            needed: Cell -> what it needs, in the order in which cells are wanted. What comes first is made
                first; the first two need nothing of each other.
            parts: What is needed -> how it can be made in parts.
        """
        self._parts = dict(parts or {})
        self._needed, self._open = dict(needed), set(needed)
        self._users: dict[str, deque[str]] = defaultdict(deque)
        for cell, names in needed.items():
            for name in names:
                self._users[name].append(cell)
        self._unclaimed = set(self._users)  # nobody has made it, and nobody is about to
        self._order = list(self._users)
        self._place = {name: place for place, name in enumerate(self._order)}
        self._promising = list(range(len(self._order)))  # places, as a heap: something may be made for these
        self._claims: dict[str, list[str]] = {}
        self._missing = {cell: set(names) for cell, names in needed.items()}
        self._ready: dict[str, dict[str, None]] = defaultdict(dict)
        self._in_hand = ""  # the cell whose parts are handed over at the moment

    @classmethod
    def of(cls, cells: Iterable[tuple[Cell, Pipeline, int]], *, in_parts: bool = True) -> Schedule:
        """Cells, each with its pipeline and the number of its run.

        Args:
            cells: Those to be computed.
            in_parts: Whether parts are made ahead: one worker has nothing of that.
        """
        wants = {cell.digest: Want.of(cell, run, pipeline.plan) for cell, pipeline, run in cells}
        needed = {cell: want.names for cell, want in wants.items()}
        return cls(needed, parts_of(wants) if in_parts else None)

    def next(self) -> Portion | None:
        """Work for one worker; None while all wait for others. Its cells are no longer open.

        What others wait for goes first: its parts, and then a cell that makes the rest of it, alone. The
        others go with those that share all of it.
        """
        portion = self._part_for(self._in_hand) or self._found()
        if portion is not None:
            return portion
        largest = max(self._ready, key=lambda view: len(self._ready[view]), default=None)
        if largest is None:
            return None
        cells = list(self._ready[largest])[:MOST]
        self._open -= set(cells)
        for cell in cells:
            del self._ready[largest][cell]
        if not self._ready[largest]:
            del self._ready[largest]
        return Portion(tuple(cells))

    def _found(self) -> Portion | None:
        """What others wait for: a part of it, or a cell that makes it."""
        while self._promising:
            name = self._order[self._promising[0]]
            cell = self._first_user(name) if name in self._unclaimed else None
            if cell is not None and self._missing[cell] <= self._unclaimed:
                part = self._part_for(cell)
                if part is not None:
                    self._in_hand = cell
                    return part
                if not any(self._in_parts(one) for one in self._missing[cell]):
                    return self._claimed(cell)
            heapq.heappop(self._promising)  # until something ends that it waits for
        return None

    def _claimed(self, cell: str) -> Portion:
        """A cell that is about to make all that it misses."""
        self._claims[cell] = sorted(self._missing[cell])
        self._unclaimed -= self._missing[cell]
        self._open.remove(cell)
        return Portion((cell,))

    def end_part(self, name: str) -> None:
        """A part is made, or given up: then the cell makes it."""
        if self._parts[name].end():
            for user in self._needed_by(name):
                self._look_again(user)

    def end(self, cells: Sequence[str]) -> None:
        """Cells are done, or given up: what they made is there, or others make it."""
        for cell in cells:
            for name in self._claims.pop(cell, ()):
                for user in self._needed_by(name):
                    self._missing[user].discard(name)
                    self._note(user)
                    self._look_again(user)

    def put_back(self, cells: Sequence[str]) -> None:
        """Cells were begun and lost: they are open again."""
        for cell in cells:
            self._open.add(cell)
            self._unclaimed |= set(self._claims.pop(cell, ()))
            for name in self._needed[cell]:
                self._users[name].appendleft(cell)
            self._note(cell)
        for cell in self._open:
            self._look_again(cell)

    def _look_again(self, cell: str) -> None:
        """What a cell waited for has ended: what it misses may be made now."""
        for name in self._missing[cell] & self._unclaimed:
            heapq.heappush(self._promising, self._place[name])

    def _in_parts(self, name: str) -> bool:
        """Whether there are parts that are not made yet."""
        return name in self._parts and bool(self._parts[name].kinds)

    def _part_for(self, cell: str) -> Portion | None:
        """A part of what a cell needs that can be made now."""
        for place, name in enumerate(self._needed.get(cell, ())):
            if place > 1 and any(self._in_parts(before) for before in self._needed[cell][:place]):
                return None
            if self._in_parts(name) and (share := self._parts[name].next()):
                return Portion((self._parts[name].cell,), share, name)
        return None

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
