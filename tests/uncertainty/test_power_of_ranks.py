"""The smallest difference that a board prints is one that its ranks find four times of five.

`python tests/uncertainty/test_power_of_ranks.py [BOARDS]` prints the table of docs/statistics.md. Of the rows
of a board, two differ by what is printed, around a rate of one half. The others lie in the middle between
them, so that the pair is the clearest one and Holm's first step decides on it.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from bench.uncertainty.paired import rank_rows
from bench.uncertainty.power import smallest_detectable_difference

DESIGNS = [(rows, users, draws) for users in (20, 60) for rows in (2, 3, 5) for draws in (1, 5)]


def printed(rows: int, users: int, draws: int) -> float:
    return smallest_detectable_difference(users, draws, rate=None, comparisons=math.comb(rows, 2))


def power(rows: int, users: int, draws: int, difference: float, boards: int) -> float:
    """How often the first row is ranked behind the last; users keep their outcomes from draw to draw."""
    stream = np.random.Generator(np.random.Philox(rows * 1000 + users * 10 + draws))
    rates = np.linspace(0.5, 0.5, rows)
    rates[0], rates[-1] = 0.5 + difference / 2, 0.5 - difference / 2
    found = 0
    for _ in range(boards):
        formed = stream.random((rows, users)) < rates[:, None]
        board = {str(row): np.tile(of_row, (1, draws, 1)).astype(float) for row, of_row in enumerate(formed)}
        ranks = rank_rows(board, replicates=200).ranks
        found += str(rows - 1) not in ranks["0"].tied_with and ranks["0"].first > 1
    return found / boards


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "users", "draws"), [(2, 20, 1), (3, 60, 1), (5, 60, 1), (5, 20, 5)])
def test_the_difference_that_is_printed_is_found_four_times_of_five(
    rows: int, users: int, draws: int
) -> None:
    boards = 1000  # a standard error of 1.3 points
    assert abs(power(rows, users, draws, printed(rows, users, draws), boards) - 0.8) <= 0.03


def tables(boards: int) -> Iterator[str]:
    """The table of the page."""
    yield "| rows | users | draws | printed | found, in 100 |"
    yield "| --- | --- | --- | --- | --- |"
    for rows, users, draws in DESIGNS:
        least = printed(rows, users, draws)
        share = power(rows, users, draws, least, boards)
        yield f"| {rows} | {users} | {draws} | {100 * least:.1f} | {100 * share:.1f} |"


if __name__ == "__main__":
    for line in tables(int(sys.argv[1]) if len(sys.argv) > 1 else 1000):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
