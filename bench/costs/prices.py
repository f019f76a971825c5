"""What one piece of work costs, from what was measured: here, or else elsewhere; never a guess.

Work that was measured on this machine costs what it cost. Similar work stands in where there is none: other
parameters of the same defense, in proportion to their steps, or photos of another data set. Where nothing was
measured here, the figures that come with the package do, and those are of another machine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.costs.measured import Measured, Spent
from bench.costs.work import DECISIVE, Work
from bench.parameters import Plain

Source = Literal["measured here", "similar work, measured here", "of another machine", "unknown"]
_SPREAD = 1.5
"""How many times larger the largest size has to be than the smallest for a growth to be measured."""

_MOST_GROWTH = 3.0


@dataclass(frozen=True)
class Price:
    """What one piece of work costs.

    Attributes:
        piece: One more piece.
        start: What the first piece of a process takes besides.
        source: Where the figures are from.
        peak_memory_mib: The largest peak of a process that was measured with it.
    """

    piece: Spent
    start: Spent
    source: Source
    peak_memory_mib: float = 0.0


UNKNOWN = Price(Spent(), Spent(), "unknown")


@dataclass(frozen=True)
class Prices:
    """Prices from measurements.

    Attributes:
        here: What this machine measured on the device of the run.
        elsewhere: What another machine measured.
    """

    here: Sequence[Measured]
    elsewhere: Sequence[Measured] = ()

    def of(self, work: Work) -> Price:
        """The price of one piece of work."""
        pools: tuple[tuple[Sequence[Measured], Source, Source], ...] = (
            (self.here, "measured here", "similar work, measured here"),
            (self.elsewhere, "of another machine", "of another machine"),
        )
        for pool, same, similar in pools:
            nearest, apart = _nearest(work, pool)
            if nearest:
                return _price(work, nearest, similar if apart else same, started=not apart)
        return UNKNOWN


def _nearest(work: Work, pool: Sequence[Measured]) -> tuple[list[Measured], int]:
    """The measurements that differ least from some work, and in how many parts of its noun they do."""
    decisive = DECISIVE.get(work.kind, ())
    fitting = [
        (one, sum(one.work.noun.get(part) != value for part, value in work.noun.items()))
        for one in pool
        if one.work.kind == work.kind
        and all(one.work.noun.get(part) == work.noun.get(part) for part in decisive)
    ]
    least = min((apart for _, apart in fitting), default=0)
    return [one for one, apart in fitting if apart == least], least


def _price(work: Work, measured: Sequence[Measured], source: Source, *, started: bool) -> Price:
    pieces = [(one.work.size, one.steady.times, _one(one, work)) for one in measured]
    starts = [one.start for one in measured] if started else []
    return Price(
        _at(work.size, pieces),
        max(starts, key=lambda spent: spent.seconds, default=Spent()),
        source,
        max(one.peak_memory_mib for one in measured),
    )


def _one(measured: Measured, work: Work) -> Spent:
    """One piece of work as it was measured, in proportion to steps where both say how many they take."""
    spent, wanted, had = measured.steady, _steps(work.noun), _steps(measured.work.noun)
    share = (wanted / had if wanted and had else 1.0) / spent.times
    return Spent(1, share * spent.seconds, share * spent.core_seconds)


def _steps(noun: Mapping[str, Plain]) -> float:
    parameters = noun.get("parameters")
    steps = parameters.get("steps") if isinstance(parameters, dict) else noun.get("steps")
    return float(steps) if isinstance(steps, int) else 0.0


def _at(size: int, pieces: Sequence[tuple[int, int, Spent]]) -> Spent:
    """One piece of a size, from pieces of other sizes: (size, how many, one of them).

    Between two sizes that were measured, and beyond them, costs grow by the power that these two show. With
    one size alone they grow in proportion.
    """
    by_size = {other: _median([(n, one) for s, n, one in pieces if s == other]) for other, _, _ in pieces}
    if size in by_size:
        return by_size[size]
    near = min(by_size, key=lambda other: abs(math.log(other / size)))
    small, large = min(by_size), max(by_size)
    growth = 1.0
    if large >= _SPREAD * small and by_size[small].seconds > 0:
        ratio = max(by_size[large].seconds, 1e-9) / by_size[small].seconds
        growth = min(max(math.log(ratio) / math.log(large / small), 0.0), _MOST_GROWTH)
    factor = (size / near) ** growth
    return Spent(1, factor * by_size[near].seconds, factor * by_size[near].core_seconds)


def _median(weighed: Sequence[tuple[int, Spent]]) -> Spent:
    """The median by the clock of (how many, one of them), each counted so many times."""
    ordered = sorted(weighed, key=lambda pair: pair[1].seconds)
    half, below = sum(times for times, _ in ordered) / 2, 0
    for times, one in ordered:
        below += times
        if below >= half:
            return one
    return Spent(1)
