"""Measured costs, and the table under `BENCH_HOME` that they are kept in.

The table is the stage `STAGE` of the store's rows, so that several processes may write it at once. A row is
replaced by the next measurement of the same work on the same machine, of about as many pieces.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from bench.costs.work import Work
from bench.store.cache import Cache
from bench.store.digests import digest

STAGE = "cost-1"
"""What the store calls the rows: another number for another form of them."""


@dataclass(frozen=True)
class Spent:
    """What some pieces of work took.

    Attributes:
        times: How many pieces there were.
        seconds: The time by the clock.
        core_seconds: Processor time, of all threads together.
    """

    times: int = 0
    seconds: float = 0.0
    core_seconds: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.times + other.times,
            self.seconds + other.seconds,
            self.core_seconds + other.core_seconds,
        )


@dataclass(frozen=True)
class Measured:
    """What one run measured of one kind of work.

    Attributes:
        work: The work.
        spent: All pieces but the first ones.
        first: The pieces that were done first: libraries and networks were loaded for them.
        peak_memory_mib: The peak of the process until then.
        device: What computed: `cpu`, or a card's number.
        machine: The name that the processor or the card gives itself.
    """

    work: Work
    spent: Spent
    first: Spent
    peak_memory_mib: float
    device: str
    machine: str

    @property
    def steady(self) -> Spent:
        """The pieces that say what one more takes: the first ones only where there were no others."""
        return self.spent if self.spent.times else self.first

    @property
    def start(self) -> Spent:
        """What the first pieces took longer than so many others; nothing where there were no others."""
        if not self.spent.times:
            return Spent()
        share = self.first.times / self.spent.times
        return Spent(
            1,
            max(0.0, self.first.seconds - share * self.spent.seconds),
            max(0.0, self.first.core_seconds - share * self.spent.core_seconds),
        )


def keep(measured: Iterable[Measured], cache: Cache) -> None:
    """Put measurements into the table.

    Raises:
        UserError: It cannot be written.
    """
    rows = {_key(one): json.dumps(asdict(one)).encode() for one in measured}
    cache.put_rows(STAGE, rows)


def kept(cache: Cache) -> list[Measured]:
    """All measurements of the table.

    Raises:
        UserError: It cannot be read.
    """
    return [parse(json.loads(row)) for row in cache.every_row(STAGE).values()]


def parse(row: dict[str, Any]) -> Measured:
    """A measurement from what `asdict` made of it."""
    parts = {"work": Work(**row["work"]), "spent": Spent(**row["spent"]), "first": Spent(**row["first"])}
    return Measured(**{**row, **parts})


def _key(measured: Measured) -> str:
    about = measured.steady.times.bit_length()
    work = measured.work
    return digest("cost", measured.machine, measured.device, work.kind, dict(work.noun), work.size, about)
