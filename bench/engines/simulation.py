"""How long cells take on many workers, by what each takes on one: a schedule on a simulated pool."""

from __future__ import annotations

import heapq
import random
from collections.abc import Mapping
from dataclasses import dataclass

from bench.engines.schedule import Schedule


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
    needed: Mapping[str, tuple[str, ...]],
    seconds: Mapping[str, float],
    workers: int,
    delays: Delays | None = None,
    seed: int = 0,
) -> Simulated:
    """Go through a schedule without its work.

    Args:
        needed: Cell -> what it needs, see `bench.engines.schedule.needs`.
        seconds: Cell -> what it takes. What several cells need is counted with the first of them.
        workers: How many there are.
        delays: What else takes time; None for nothing.
        seed: Decides which tasks straggle.
    """
    delays, draw = delays or Delays(), random.Random(seed)
    schedule = Schedule(dict(needed))
    at_work: list[tuple[float, int, list[str]]] = []
    now, tasks, most, fresh = 0.0, 0, 0, workers
    while True:
        while len(at_work) < workers and (cells := schedule.next()):
            work = sum(seconds.get(cell, 0.0) for cell in cells) + delays.task
            work *= delays.slow if draw.random() < delays.straggling else 1.0
            work += delays.start if fresh > 0 else 0.0
            tasks, fresh = tasks + 1, fresh - 1
            heapq.heappush(at_work, (now + work, tasks, cells))
        most = max(most, len(at_work))
        if not at_work:
            return Simulated(now, tasks, most)
        now, _, cells = heapq.heappop(at_work)
        schedule.end(cells)
