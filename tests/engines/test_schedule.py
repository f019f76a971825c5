"""What may be done at once: every cell once, and nothing made by two workers at a time."""

from __future__ import annotations

import random

import pytest

from bench.engines.schedule import MOST, Schedule


def cells(cloaks: int, views: int, attackers: int) -> dict[str, tuple[str, ...]]:
    """A matrix: every attacker behind every view of every cloak."""
    return {
        f"{c}/{v}/{a}": (f"cloak {c}", f"view {v}", f"view {v} of {c}")
        for c in range(cloaks)
        for v in range(views)
        for a in range(attackers)
    }


def test_who_needs_what_another_makes_waits_for_it() -> None:
    schedule = Schedule(cells(2, 1, 3))
    assert schedule.next() == ["0/0/0"]  # makes cloak 0 and view 0
    assert schedule.next() == []  # cloak 1 waits for view 0, too
    schedule.end(["0/0/0"])
    assert schedule.next() == ["1/0/0"]
    assert schedule.next() == ["0/0/1", "0/0/2"]
    assert schedule.next() == []
    schedule.end(["1/0/0"])
    assert schedule.next() == ["1/0/1", "1/0/2"]
    assert schedule.next() == []


def test_a_lost_cell_is_made_by_whoever_comes_next() -> None:
    needed = cells(1, 1, 3)
    schedule = Schedule(dict(needed))
    assert schedule.next() == ["0/0/0"]
    schedule.put_back(["0/0/0"])
    assert schedule.next() == ["0/0/0"]
    schedule.end(["0/0/0"])
    assert schedule.next() == ["0/0/1", "0/0/2"]


@pytest.mark.parametrize("seed", range(20))
def test_every_cell_is_done_once_and_nothing_is_made_twice(seed: int) -> None:
    draw = random.Random(seed)
    needed = cells(draw.randint(1, 4), draw.randint(1, 4), draw.randint(1, 20))
    schedule = Schedule(needed)
    at_work: list[list[str]] = []
    done: list[str] = []
    made: set[str] = set()
    while len(done) < len(needed):
        while len(at_work) < 3 and (task := schedule.next()):
            assert len(task) <= MOST
            making = [name for cells in at_work for cell in cells for name in set(needed[cell]) - made]
            assert len(task) == 1 or all(set(needed[cell]) <= made for cell in task)
            assert not set(making) & (set(needed[task[0]]) - made)
            at_work.append(task)
        assert at_work, "cells are open and none may be done"
        ended = at_work.pop(draw.randrange(len(at_work)))
        if draw.random() < 0.2:
            schedule.put_back(ended)
            continue
        schedule.end(ended)
        made |= {name for cell in ended for name in needed[cell]}
        done += ended
    assert sorted(done) == sorted(needed)


def test_many_cells_of_one_view_go_to_several_workers() -> None:
    schedule = Schedule(cells(1, 1, 1 + 3 * MOST))
    schedule.end(schedule.next())
    assert [len(schedule.next()) for _ in range(4)] == [MOST, MOST, MOST, 0]
