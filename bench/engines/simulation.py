"""How long cells take on many workers, by what each takes on one: a schedule on a simulated pool."""

from __future__ import annotations

import heapq
import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from bench.engines.schedule import Parts, Portion, Schedule, Want, parts_of
from bench.experiment.shares import CLOAK, LOOK, LOOK_AT, LOOK_THROUGH, TRAIN

_SEEN, _EMBEDDED = ("read", "detect"), ("embed",)


def made_of(kind: str, *, as_it_is: bool) -> tuple[str, ...]:
    """The kinds of work (`bench.costs.work`) that a kind of parts is made of.

    Args:
        kind: See `bench.experiment.shares`.
        as_it_is: Whether the cell looks once, through networks as they were published: else the first looks
            only find faces.
    """
    looks = (*_SEEN, *_EMBEDDED) if as_it_is else _SEEN
    return {CLOAK: ("cloak",), LOOK: looks, LOOK_AT: looks, TRAIN: ("train",), LOOK_THROUGH: _EMBEDDED}[kind]


@dataclass(frozen=True)
class Delays:
    """What makes a task longer than its cells.

    Attributes:
        start: Seconds that a worker takes before its first task.
        task: Seconds that every task takes besides, such as a store that is far away.
        straggling: The share of tasks that take `slow` times as long.
        slow: See above.
    """

    start: float = 0.0
    task: float = 0.0
    straggling: float = 0.0
    slow: float = 1.0


@dataclass(frozen=True)
class Simulated:
    """What a simulated run took.

    Attributes:
        seconds: From its begin to the end of its last task.
        tasks: How many tasks it had.
        most: How many tasks were at work at once, at most.
    """

    seconds: float
    tasks: int
    most: int


def simulate(
    wants: Mapping[str, Want],
    work: Mapping[str, Mapping[str, float]],
    workers: int,
    delays: Delays | None = None,
    seed: int = 0,
) -> Simulated:
    """Go through a schedule without its work.

    Args:
        wants: Cell -> what it needs.
        work: Cell -> kind of work -> seconds. What several cells need is counted with the first of them.
        workers: How many there are.
        delays: What else takes time; None for nothing.
        seed: Decides which tasks straggle.
    """
    delays, draw = delays or Delays(), random.Random(seed)
    parts = parts_of(wants) if workers > 1 else {}
    rest, ahead = _divided(wants, work, parts)
    schedule = Schedule({cell: want.names for cell, want in wants.items()}, parts)
    at_work: list[tuple[float, int, Portion]] = []
    now, tasks, most, fresh = 0.0, 0, 0, workers
    while True:
        while len(at_work) < workers and (portion := schedule.next()):
            took = delays.task
            if portion.share:
                took += ahead[portion.needed, portion.share.kind] / portion.share.of
            else:
                took += sum(rest[cell] for cell in portion.cells)
            took *= delays.slow if draw.random() < delays.straggling else 1.0
            took += delays.start if fresh > 0 else 0.0
            tasks, fresh = tasks + 1, fresh - 1
            heapq.heappush(at_work, (now + took, tasks, portion))
        most = max(most, len(at_work))
        if not at_work:
            return Simulated(now, tasks, most)
        now, _, portion = heapq.heappop(at_work)
        if portion.share:
            schedule.end_part(portion.needed)
        else:
            schedule.end(portion.cells)


def _divided(
    wants: Mapping[str, Want], work: Mapping[str, Mapping[str, float]], parts: Mapping[str, Parts]
) -> tuple[dict[str, float], dict[tuple[str, str], float]]:
    """What is left of each cell, and what is made in parts before: what is needed, kind of parts -> seconds.

    Of a kind of work that is in several kinds of parts, each has as much as it has parts.
    """
    ahead: dict[tuple[str, str], float] = defaultdict(float)
    rest: dict[str, float] = {}
    met: set[str] = set()
    for cell, want in wants.items():
        left = dict(work.get(cell, {}))
        mine = [
            (name, kind, count, made_of(kind, as_it_is=want.as_it_is))
            for name, kinds in zip(want.names, want.kinds, strict=True)
            if name in parts and name not in met
            for kind, count in kinds
        ]
        for kinds_of_work in {of for *_, of in mine}:
            seconds = sum(left.pop(each, 0.0) for each in kinds_of_work)
            counts = {(name, kind): count for name, kind, count, of in mine if of == kinds_of_work}
            for place, count in counts.items():
                ahead[place] += seconds * count / sum(counts.values())
        met |= set(want.names)
        rest[cell] = sum(left.values())
    return rest, ahead
