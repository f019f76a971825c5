"""docs/statistics.md: its example runs, and its tables are what the functions give."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from bench.uncertainty.power import half_width, smallest_detectable_difference, zero_event_bound

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "statistics.md").read_text("utf-8")


def rows(above: str) -> list[list[float]]:
    """The numbers of the first table below a heading; "-" is NaN."""
    table = re.search(r"^\|(?: --- \|)+\n((?:\|.*\n)+)", PAGE.split(above, 1)[1], re.M)
    assert table is not None
    return [
        [float(cell.replace("-", "nan")) for cell in line.strip("| ").split("|")]
        for line in table[1].splitlines()
    ]


def test_the_example() -> None:
    [block] = re.findall(r"^```python\n(.*?)^```", PAGE, re.S | re.M)
    names: dict[str, Any] = {}
    exec(compile(block, "statistics.md", "exec"), names)
    assert names["panel"].worst.value == 0.2
    assert names["panel"].worst.low < 0.2 < names["panel"].worst.high
    assert (names["gap"].missing, names["gap"].ranked) == (("hdbscan",), False)
    ranks = {name: str(rank) for name, rank in names["board"].ranks.items()}
    assert ranks == {"weak": "3", "strong": "1-2", "nearly": "1-2"}


def test_the_table_of_widths() -> None:
    for users, half, bound, exact in rows("Five draws cover it"):
        n = int(users)
        assert [half, bound, exact] == [
            round(100 * value, 1)
            for value in (half_width(n), zero_event_bound(n), zero_event_bound(n, exact=True))
        ]


def test_the_table_of_differences() -> None:
    for users, *told in rows("For one pair alone"):
        n = int(users)
        found = [
            smallest_detectable_difference(n),
            smallest_detectable_difference(n, correlation=0.5),
            smallest_detectable_difference(n, rate=0.2),
            smallest_detectable_difference(n, rate=0.2, correlation=0.5),
            smallest_detectable_difference(n, 5, persistence=0.5),
            smallest_detectable_difference(n, comparisons=45),
        ]
        assert told == pytest.approx([100 * value for value in found], abs=0.051, nan_ok=True)
