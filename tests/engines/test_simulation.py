"""A simulated run takes what it has to."""

from __future__ import annotations

import pytest

from bench.engines.simulation import Delays, simulate

NEEDED = {f"{v}/{a}": ("cloak", f"view {v}") for v in range(4) for a in range(9)}
SECONDS = {cell: 10.0 if cell.endswith("/0") else 1.0 for cell in NEEDED} | {"0/0": 30.0}
"""The first cell makes the cloak in 20 s and its view in 10; each view takes 10 s, each other cell 1."""


def test_one_worker_takes_the_sum_and_many_take_the_longest_chain() -> None:
    assert simulate(NEEDED, SECONDS, 1).seconds == sum(SECONDS.values())
    # the cloak with its view, then the other views, and then the cells of a view, which are one task
    assert simulate(NEEDED, SECONDS, 1000).seconds == 30 + 10 + 8
    assert simulate(NEEDED, SECONDS, 1000).most == 4


@pytest.mark.parametrize("workers", [2, 3, 8])
def test_more_workers_are_never_faster_than_their_number(workers: int) -> None:
    took = simulate(NEEDED, SECONDS, workers)
    assert sum(SECONDS.values()) / workers <= took.seconds <= sum(SECONDS.values())
    assert took.most <= workers


def test_every_delay_counts() -> None:
    plain = simulate(NEEDED, SECONDS, 2)
    assert simulate(NEEDED, SECONDS, 1, Delays(task=2.0)).seconds == sum(SECONDS.values()) + 2 * plain.tasks
    assert simulate(NEEDED, SECONDS, 1, Delays(start=5.0)).seconds == sum(SECONDS.values()) + 5
    slow = Delays(straggling=1.0, slow=3.0)
    assert simulate(NEEDED, SECONDS, 1, slow).seconds == 3 * sum(SECONDS.values())
    some = simulate(NEEDED, SECONDS, 1, Delays(straggling=0.3, slow=3.0), seed=1)
    assert sum(SECONDS.values()) < some.seconds < 3 * sum(SECONDS.values())
    assert some == simulate(NEEDED, SECONDS, 1, Delays(straggling=0.3, slow=3.0), seed=1)


def test_nothing_takes_no_time() -> None:
    took = simulate({}, {}, 3)
    assert (took.seconds, took.tasks, took.most) == (0.0, 0, 0)
