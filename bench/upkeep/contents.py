"""What a store holds, by stage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.upkeep.ledger import leftovers, opened

_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Line:
    """The results of one stage.

    Attributes:
        stage: Its name.
        results: How many.
        bytes: How many bytes they take on the disk.
        last_used: The day on which one of them was used last, such as `2026-11-28`.
    """

    stage: str
    results: int
    bytes: int
    last_used: str


@dataclass(frozen=True)
class Contents:
    """What a store holds.

    Attributes:
        folder: Where it is.
        stages: A line for each stage, the largest first.
        leftovers: Half-written files of killed processes, and damaged rows that were set aside.
    """

    folder: Path
    stages: list[Line]
    leftovers: int


def contents(home: Path) -> Contents:
    """Count what is stored; nothing is changed.

    Raises:
        UserError: There is no store.
    """
    with opened(home) as ledger:
        found = ledger.connection.execute(
            "SELECT stage, COUNT(*), SUM(size) AS whole, MAX(day) FROM entry GROUP BY stage "
            "ORDER BY whole DESC, stage"
        ).fetchall()
        lines = [Line(stage, count, size, _date(day)) for stage, count, size, day in found]
        return Contents(ledger.folder, lines, len(leftovers(ledger.folder)))


def _date(day: int) -> str:
    return (_BEGIN + timedelta(days=day)).date().isoformat()
