"""The attacker's own choice: which attack it sends, of all that it has, before it sees anybody.

An attacker tries every combination on calibration people whom it cloaked itself (`CellRecord.own_cloaks`,
level `adaptive`). The best of them is one attacker that was fixed beforehand. So its rate on the users has a
plain interval, and no bias from taking a maximum.

The choice is made in each draw by itself: a draw has calibration people of its own, and an attacker has no
others. Over several draws, then, the interval covers the luck of the choice, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from bench.board.figures import FIGURES
from bench.board.outcomes import Met, complete, draws_of
from bench.board.tracks import weak
from bench.channels import platform
from bench.records.record import CellRecord, Metric
from bench.types import Floats
from bench.uncertainty.intervals import rate_interval

TO_TYPE = "--level adaptive"
"""What a run needs so that its records say how attackers did on their own cloaks."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The attack that an attacker chose on its own cloaks, and what became of the users.

    Attributes:
        rate: CFR-chosen, where lower protects better, or PSR-chosen, where higher does, with the interval of
            one attacker: Wilson's, or over several draws that of `bench.uncertainty.intervals.rate_interval`.
        attacker: the condition that was chosen; over several draws the one that most of them chose.
        times: in how many draws it was.
        own: what the chosen attacks achieved on the attacker's own cloaks; the mean over draws.
        clean: what they achieve on the users' clean photos; None where a cell does not say it.
        weak: whether one of them finds too few people on clean photos. Others may find more people than it
            did, so that the rate bounds what attackers can do from one side only.
        bound: the rate, had the photos that are not ok gone worst for their users.
    """

    rate: Metric
    attacker: str
    times: int
    own: float
    clean: float | None
    weak: bool
    bound: float


@dataclass(frozen=True, slots=True)
class Chosen:
    """A choice and the users behind it.

    Attributes:
        choice: for people.
        at_worst: float [draw, user], had the photos that are not ok gone worst; what rows are ranked by.
    """

    choice: Choice
    at_worst: Floats


def chosen_attack(
    cells: Sequence[CellRecord], named: Mapping[str, str], conditions: Sequence[str], met: Met
) -> Chosen | None:
    """What the attacker would have sent against one row.

    Args:
        cells: of the row; oracles are not among them.
        named: cell -> its condition.
        conditions: all of them, in the order of the panel, which decides between equals.
        met: what the cells come to.

    Returns:
        None where in some draw no attacker was tried on its own cloaks.
    """
    place = {condition: i for i, condition in enumerate(conditions)}
    draws = draws_of(cells)
    best = sent(met.figure, sorted(cells, key=lambda record: place[named[record.cell]]))
    if len(best) < len(draws):
        return None
    picked = [(draws[draw], record) for draw, record in sorted(best.items())]
    outcomes, at_worst = (
        np.stack([table[named[record.cell]][draw] for draw, record in picked])
        for table in (met.outcomes, met.at_worst)
    )
    if not complete(outcomes):
        return None
    return Chosen(_choice([record for _, record in picked], named, met.figure, outcomes, at_worst), at_worst)


def sent(figure: str, cells: Sequence[CellRecord]) -> dict[int, CellRecord]:
    """Draw -> the cell of the attack that did best on the attacker's own cloaks; the first of equals.

    Somebody else's attack is never chosen: whoever made it chose it by another rule. A platform is nothing
    that an attacker chooses. The choice is among photos as they were published, and
    where there are none, among those of the first platform by name.

    Args:
        figure: one of `bench.board.figures.FIGURES`.
        cells: of one row, oracles not among them.
    """
    ours = [r for r in cells if r.status == "ok" and r.by is None]
    tried = [r for r in ours if figure in r.metrics and _own(r, figure) is not None]
    published = min(map(_published, tried), default=None)
    best: dict[int, CellRecord] = {}
    for record in tried:
        so_far = best.get(record.draw)
        if _published(record) == published and (
            so_far is None or _strength(record, figure) > _strength(so_far, figure)
        ):
            best[record.draw] = record
    return best


def _choice(
    records: Sequence[CellRecord],
    named: Mapping[str, str],
    figure: str,
    outcomes: Floats,
    at_worst: Floats,
) -> Choice:
    low, high = rate_interval(outcomes)
    ((attacker, times),) = Counter(named[record.cell] for record in records).most_common(1)
    clean = [_value(record.metrics.get(f"{figure}_clean")) for record in records]
    known = [rate for rate in clean if rate is not None]
    return Choice(
        rate=Metric(
            value=float(outcomes.mean()),
            low=low,
            high=high,
            n=outcomes.shape[1],
            better="lower" if FIGURES[figure].clusters else "higher",
        ),
        attacker=attacker,
        times=times,
        own=fmean(own for record in records if (own := _own(record, figure)) is not None),
        clean=fmean(known) if len(known) == len(records) else None,
        weak=any(map(weak, records)),
        bound=float(at_worst.mean()),
    )


def _published(record: CellRecord) -> tuple[bool, str]:
    """The platform of a cell, photos as they were published first."""
    text = str(platform(record.channel))
    return text != "none", text


def _own(record: CellRecord, figure: str) -> float | None:
    return _value(record.own_cloaks.get(FIGURES[figure].own))


def _strength(record: CellRecord, figure: str) -> tuple[float, float]:
    """What the attacker compares: the figure as it counts, then what decides between equals."""
    own = _own(record, figure)
    tie = _value(record.own_cloaks.get(FIGURES[figure].tie))
    return -np.inf if own is None else FIGURES[figure].harm(own), -np.inf if tie is None else tie


def _value(metric: Metric | None) -> float | None:
    return None if metric is None else metric.value
