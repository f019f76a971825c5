"""Which cells of several rows of a panel may be drawn as one line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence

from bench.board.panel import PanelRow, Standing
from bench.board.tracks import defense
from bench.records.record import CellRecord


def everywhere(standings: Sequence[Standing], place: Callable[[PanelRow], Hashable]) -> list[CellRecord]:
    """The cells of conditions that each defense met wherever it stands; each cell once.

    A defense that met more attacks at one place than at another would look weaker there.

    Args:
        standings: Rows that differ in their places, and in what defenses knew.
        place: Where a row stands.
    """
    rows: dict[tuple[str, str], list[Standing]] = defaultdict(list)
    for standing in standings:
        rows[defense(standing.first), standing.row.knowledge].append(standing)
    kept: dict[str, CellRecord] = {}
    for of_row in rows.values():
        met: dict[Hashable, set[str]] = defaultdict(set)
        for standing in of_row:
            met[place(standing.row)] |= set(standing.cells)
        common = set.intersection(*met.values())
        for standing in of_row:
            kept |= {r.cell: r for name in common & set(standing.cells) for r in standing.cells[name]}
    return list(kept.values())
