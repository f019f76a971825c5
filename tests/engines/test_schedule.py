"""What may be done at once: every cell once, and nothing made by two workers at a time."""

from __future__ import annotations

import random

import pytest

from bench.engines.schedule import MOST, Parts, Schedule
from bench.experiment.shares import Share


def cells(cloaks: int, views: int, attackers: int) -> dict[str, tuple[str, ...]]:
    """A matrix: every attacker behind every view of every cloak."""
    return {
        f"{c}/{v}/{a}": (f"cloak {c}", f"view {v}", f"view {v} of {c}")
        for c in range(cloaks)
        for v in range(views)
        for a in range(attackers)
    }


def cells_of(schedule: Schedule) -> list[str]:
    """The next cells for one worker."""
    portion = schedule.next()
    assert portion is None or portion.share is None
    return list(portion.cells) if portion else []


def test_who_needs_what_another_makes_waits_for_it() -> None:
    schedule = Schedule(cells(2, 1, 3))
    assert cells_of(schedule) == ["0/0/0"]  # makes cloak 0 and view 0
    assert cells_of(schedule) == []  # cloak 1 waits for view 0, too
    schedule.end(["0/0/0"])
    assert cells_of(schedule) == ["1/0/0"]
    assert cells_of(schedule) == ["0/0/1", "0/0/2"]
    assert cells_of(schedule) == []
    schedule.end(["1/0/0"])
    assert cells_of(schedule) == ["1/0/1", "1/0/2"]
    assert cells_of(schedule) == []


def test_a_lost_cell_is_made_by_whoever_comes_next() -> None:
    needed = cells(1, 1, 3)
    schedule = Schedule(dict(needed))
    assert cells_of(schedule) == ["0/0/0"]
    schedule.put_back(["0/0/0"])
    assert cells_of(schedule) == ["0/0/0"]
    schedule.end(["0/0/0"])
    assert cells_of(schedule) == ["0/0/1", "0/0/2"]


@pytest.mark.parametrize("seed", range(20))
def test_every_cell_is_done_once_and_nothing_is_made_twice(seed: int) -> None:
    draw = random.Random(seed)
    needed = cells(draw.randint(1, 4), draw.randint(1, 4), draw.randint(1, 20))
    schedule = Schedule(needed)
    at_work: list[list[str]] = []
    done: list[str] = []
    made: set[str] = set()
    while len(done) < len(needed):
        while len(at_work) < 3 and (task := cells_of(schedule)):
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
    schedule.end(cells_of(schedule))
    assert [len(cells_of(schedule)) for _ in range(4)] == [MOST, MOST, MOST, 0]


def shares_of(schedule: Schedule, most: int = 99) -> list[Share]:
    """The next shares, until there are none that can be made now."""
    found: list[Share] = []
    while len(found) < most and (portion := schedule.next()) is not None:
        assert portion.share, portion
        found.append(portion.share)
    return found


def test_parts_come_before_the_cell_that_needs_them_and_kinds_one_after_another() -> None:
    needed = dict.fromkeys("ab", ("cloak", "photos", "photos of cloak", "networks"))
    schedule = Schedule(
        needed,
        {
            "cloak": Parts("a", [("cloak", 2)]),
            "photos of cloak": Parts("b", [("look at", 2)]),
            "networks": Parts("a", [("train", 2), ("look through", 3)]),
        },
    )
    assert shares_of(schedule) == [Share("cloak", 0, 2), Share("cloak", 1, 2)]
    schedule.end_part("cloak")
    assert shares_of(schedule) == []  # looks at cloaks wait for all cloaks
    schedule.end_part("cloak")
    portion = schedule.next()
    assert portion and (portion.cells, portion.needed) == (("b",), "photos of cloak")
    assert shares_of(schedule) == [Share("look at", 1, 2)]
    schedule.end_part("photos of cloak")
    schedule.end_part("photos of cloak")
    assert shares_of(schedule) == [Share("train", 0, 2), Share("train", 1, 2)]
    schedule.end_part("networks")
    schedule.end_part("networks")
    assert len(shares_of(schedule)) == 3
    assert cells_of(schedule) == []
    for _ in range(3):
        schedule.end_part("networks")
    assert cells_of(schedule) == ["a"]  # it makes the rest, and nobody else meanwhile
    assert cells_of(schedule) == []
    schedule.end(["a"])
    assert cells_of(schedule) == ["b"]


def test_what_is_published_and_what_is_looked_at_before_are_made_at_once() -> None:
    needed = {"a": ("cloak", "photos", "both")}
    parts = {"cloak": Parts("a", [("cloak", 2)]), "photos": Parts("a", [("look", 2)])}
    schedule = Schedule(needed, parts)
    assert {share.kind for share in shares_of(schedule)} == {"cloak", "look"}


def test_parts_of_one_cell_do_not_keep_another_one_waiting() -> None:
    needed = {"a": ("cloak a", "photos a"), "b": ("cloak b", "photos b")}
    schedule = Schedule(needed, {"cloak a": Parts("a", [("cloak", 2)])})
    assert shares_of(schedule, 2) == [Share("cloak", 0, 2), Share("cloak", 1, 2)]
    assert cells_of(schedule) == ["b"]


def test_a_cell_that_is_lost_is_not_made_in_parts_again() -> None:
    schedule = Schedule({"a": ("cloak", "photos")}, {"cloak": Parts("a", [("cloak", 2)])})
    assert len(shares_of(schedule)) == 2
    schedule.end_part("cloak")
    schedule.end_part("cloak")
    assert cells_of(schedule) == ["a"]
    schedule.put_back(["a"])
    assert cells_of(schedule) == ["a"]
