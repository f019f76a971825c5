"""A simulated run takes what it has to."""

from __future__ import annotations

import pytest

from bench.engines.schedule import Want
from bench.engines.simulation import Delays, simulate

NEEDED = {
    f"{v}/{a}": Want(("cloak", f"view {v}"), ([], []), as_it_is=True) for v in range(4) for a in range(9)
}
SECONDS = {cell: 10.0 if cell.endswith("/0") else 1.0 for cell in NEEDED} | {"0/0": 30.0}
WORK = {cell: {"attack": seconds} for cell, seconds in SECONDS.items()}
"""The first cell makes the cloak in 20 s and its view in 10; each view takes 10 s, each other cell 1."""


def test_one_worker_takes_the_sum_and_many_take_the_longest_chain() -> None:
    assert simulate(NEEDED, WORK, 1).seconds == sum(SECONDS.values())
    # the cloak with its view, then the other views, and then the cells of a view, which are one task
    assert simulate(NEEDED, WORK, 1000).seconds == 30 + 10 + 8
    assert simulate(NEEDED, WORK, 1000).most == 4


@pytest.mark.parametrize("workers", [2, 3, 8])
def test_more_workers_are_never_faster_than_their_number(workers: int) -> None:
    took = simulate(NEEDED, WORK, workers)
    assert sum(SECONDS.values()) / workers <= took.seconds <= sum(SECONDS.values())
    assert took.most <= workers


def test_every_delay_counts() -> None:
    plain = simulate(NEEDED, WORK, 2)
    assert simulate(NEEDED, WORK, 1, Delays(task=2.0)).seconds == sum(SECONDS.values()) + 2 * plain.tasks
    assert simulate(NEEDED, WORK, 1, Delays(start=5.0)).seconds == sum(SECONDS.values()) + 5
    slow = Delays(straggling=1.0, slow=3.0)
    assert simulate(NEEDED, WORK, 1, slow).seconds == 3 * sum(SECONDS.values())
    some = simulate(NEEDED, WORK, 1, Delays(straggling=0.3, slow=3.0), seed=1)
    assert sum(SECONDS.values()) < some.seconds < 3 * sum(SECONDS.values())
    assert some == simulate(NEEDED, WORK, 1, Delays(straggling=0.3, slow=3.0), seed=1)


def test_nothing_takes_no_time() -> None:
    took = simulate({}, {}, 3)
    assert (took.seconds, took.tasks, took.most) == (0.0, 0, 0)


def parted(view: str, cloaks: int, looks: int, *, plain: bool = True) -> Want:
    """A cell whose cloaks, looks and networks can be made in parts."""
    learned = [] if plain else [("train", 4), ("look through", looks)]
    kinds = ([("cloak", cloaks)], [("look", looks)], [("look at", looks // 2)], learned)
    return Want(("cloak", "photos", "photos of cloak", view), kinds, as_it_is=plain)


def test_what_can_be_made_in_parts_is_divided_among_workers() -> None:
    wants = {"a": parted("view", 10, 20), "b": parted("view", 10, 20)}
    work = {"a": {"cloak": 100.0, "detect": 60.0, "embed": 90.0, "attack": 7.0}, "b": {"attack": 7.0}}
    alone = simulate(wants, work, 1)
    assert (alone.seconds, alone.tasks) == (264.0, 2)  # one worker makes no parts
    # two looks of three are at clean photos, and these are made while cloaks are
    many = simulate(wants, work, 1000)
    assert many.seconds == pytest.approx(100 / 10 + 50 / 10 + 7 + 7)
    assert many.tasks == 10 + 20 + 10 + 2
    two = simulate(wants, work, 2)
    assert alone.seconds / 2 < two.seconds < alone.seconds / 2 + 20


def test_networks_are_trained_by_several_and_what_is_seen_through_them_after_that() -> None:
    wants = {"a": parted("trained", 2, 10, plain=False)}
    work = {"a": {"cloak": 2.0, "detect": 30.0, "train": 40.0, "embed": 100.0, "attack": 1.0}}
    many = simulate(wants, work, 1000)
    # faces are found before, 30 s in 10 + 5 parts; embeddings wait for networks
    assert many.seconds == pytest.approx(2 + 2 + 40 / 4 + 100 / 10 + 1)


def test_what_is_told_of_no_cell_is_nothing() -> None:
    wants = {"a": parted("view", 10, 20)}
    assert simulate(wants, {}, 5).seconds == 0
