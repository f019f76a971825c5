"""How often the gate says what: by simulation, on defenses that did not change and on ones that did.

`python tests/gate/test_error_rates.py [GATES]` prints the table of docs/gate-a-defense.md. The outcomes of
the users are drawn anew for both runs: a defense with randomness of its own, which keeps nothing of a user
from run to run, is the noisiest case. One of the comparisons rises, and the others do not.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from bench.comparison.differences import Difference
from bench.gate.judging import detectable, judge
from bench.uncertainty.changed import compare_users
from bench.uncertainty.paired import Comparison

PAGE = Path(__file__).resolve().parents[2] / "docs" / "gate-a-defense.md"
COUNT = 2000
"""Gates of each line of the page."""

DESIGNS = [
    (users, comparisons, max_drop)
    for users in (20, 60, 200)
    for comparisons in (1, 4)
    for max_drop in (0.05, 0.1, 0.25)
]


@cache
def changed(first_only: int, second_only: int, users: int) -> Comparison:
    """What the gate computes of so many users who changed sides; the others fared alike."""
    before = np.arange(users) < first_only
    now = np.arange(users)[::-1] < second_only
    return compare_users(before[None, None], now[None, None])


def difference(before: np.ndarray, now: np.ndarray) -> Difference:
    found = changed(int((before & ~now).sum()), int((now & ~before).sum()), before.size)
    return Difference("attack", "dbscan", before.mean(), now.mean(), before.size, 1, found)


def test_a_comparison_depends_on_how_many_users_changed_sides_alone() -> None:
    stream = np.random.Generator(np.random.Philox(7))
    for users in (20, 60, 200):
        before, now = stream.random((2, users)) < 0.5
        assert difference(before, now).found == compare_users(
            before[None, None].astype(float), now[None, None].astype(float)
        )


def gates(users: int, comparisons: int, max_drop: float, rise: float, count: int) -> Counter[str]:
    """What so many gates say of the comparisons together, as the verdict does; rates lie around one half."""
    stream = np.random.Generator(np.random.Philox(users * 100 + comparisons))
    said: Counter[str] = Counter()
    for _ in range(count):
        before, now = np.full(comparisons, 0.5), np.full(comparisons, 0.5)
        before[0], now[0] = 0.5 - rise / 2, 0.5 + rise / 2
        drawn = [stream.random((comparisons, users)) < rates[:, None] for rates in (before, now)]
        made = [(difference(*pair), False) for pair in zip(*drawn, strict=True)]
        states = {one.state for one in judge(made, max_drop)}
        said[next(state for state in ("weaker", "undecided", "passed") if state in states)] += 1
    return said


def promised(users: int, comparisons: int, max_drop: float) -> float | None:
    """The rise that the gate says it shows."""
    one = difference(np.zeros(users, bool), np.zeros(users, bool))
    return detectable([one] * comparisons, max_drop)


@pytest.mark.slow
@pytest.mark.parametrize(("users", "comparisons", "max_drop"), [(20, 1, 0.1), (60, 4, 0.1), (60, 1, 0.25)])
def test_at_most_5_in_100_false_alarms_and_at_least_80_alarms_at_what_is_promised(
    users: int, comparisons: int, max_drop: float
) -> None:
    count = 600  # a standard error of at most 1.6 points at 80 in 100, and of .9 at 5
    assert gates(users, comparisons, max_drop, 0.0, count)["weaker"] / count <= 0.05
    rise = promised(users, comparisons, max_drop)
    assert rise is not None
    assert gates(users, comparisons, max_drop, rise, count)["weaker"] / count >= 0.76


@pytest.mark.slow
def test_a_rise_of_more_than_is_allowed_hardly_ever_passes() -> None:
    count = 600
    assert gates(60, 1, 0.1, 0.11, count)["passed"] / count <= 0.05


def test_size_alone_would_be_luck_in_one_gate_of_five() -> None:
    # design/020: 20 users, outcomes drawn anew around one half, a rise of more than 2 users
    chance = stats.binom.pmf(np.arange(21), 20, 0.5)
    by_rise = np.outer(chance, chance)
    rise = np.subtract.outer(np.arange(21), np.arange(21))
    assert by_rise[rise > 2].sum() == pytest.approx(0.2, abs=0.02)


def table(count: int) -> Iterator[str]:
    """The table of the page."""
    yield "| users | comparisons | allowed | unchanged: weaker | undecided | passed | promised rise | found |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for users, comparisons, max_drop in DESIGNS:
        same = gates(users, comparisons, max_drop, 0.0, count)
        rates = " | ".join(f"{100 * same[state] / count:.1f}" for state in ("weaker", "undecided", "passed"))
        rise = promised(users, comparisons, max_drop)
        told = "none | -"
        if rise is not None:
            found = gates(users, comparisons, max_drop, rise, count)["weaker"] / count
            told = f"{rise:.2f} | {100 * found:.1f}"
        yield f"| {users} | {comparisons} | {max_drop:g} | {rates} | {told} |"


@pytest.mark.slow
def test_the_page_has_the_table_of_this_file() -> None:
    (printed,) = re.findall(r"(?m)^(?:\|.*promised rise.*\n)(?:\|.*\n)+", PAGE.read_text("utf-8"))
    assert printed.splitlines() == list(table(COUNT))


if __name__ == "__main__":
    for line in table(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT):
        sys.stdout.write(line + "\n")
