"""What a board says, in sentences: who is first, against what, at what cost, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.board.figures import FIGURES
from bench.board.panel import PanelRow, Standing
from bench.board.table import CONFIDENT
from bench.charts.naming import row_names, setting

_KNEW = {
    "white-box": "on the very encoder that the cloaks were made against (white-box)",
    "grey-box": "on encoders that the defense knew in part (grey-box)",
    "black-box": "on encoders that the defense knew nothing of (black-box)",
    "none": "without surrogates",
}
"""What the defense knew -> how a sentence says it."""


def knew(row: PanelRow) -> str:
    """On which encoders a track is."""
    return _KNEW.get(row.knowledge, row.knowledge)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a track says.

    Attributes:
        lead: who is first, and where.
        text: against what, at what cost, and how sure that is.
    """

    lead: str
    text: str


def verdict(track: Sequence[Standing]) -> Verdict:
    """One track in a few sentences.

    Args:
        track: its rows, who protects best first.
    """
    names = row_names(track)
    place = knew(track[0].row)
    where = f"{FIGURES[track[0].row.figure].title}; {setting(track[0].row)}."
    first = [i for i, standing in enumerate(track) if standing.row.rank_first == 1]
    if len(first) > 1:
        tied = ", ".join(f"{names[i]} ({_rate(track[i])})" for i in first)
        return Verdict(
            f"{len(first)} defenses are tied for first {place}.",
            f"{where} Noise cannot tell {tied} apart.{_detectable(track[0].row)}",
        )
    best, name = (track[first[0]], names[first[0]]) if first else (track[0], names[0])
    stands = (
        "is first of " + str(len(track)) if first else "is the only row" if len(track) == 1 else "has no rank"
    )
    return Verdict(
        f"{name} {stands} {place}.", f"{where} {_told(best)}{_detectable(best.row)}{_flagged(best, track)}"
    )


def clean_rate(standing: Standing) -> float | None:
    """How the attack that decides a row does on clean photos."""
    if standing.row.chosen is not None:
        return standing.row.chosen.clean
    if standing.deciding is None:
        return None
    metric = standing.cells[standing.deciding][0].metrics.get(f"{standing.row.figure}_clean")
    return None if metric is None else metric.value


def _told(standing: Standing) -> str:
    rate, deciding = standing.rate, standing.deciding
    if rate is None or rate.value is None or deciding is None:
        return "No attacker has a complete result."
    clusters = FIGURES[standing.row.figure].clusters
    does = "still finds" if clusters else "fails on"
    units = "users" if clusters else "users' photos, on average"
    way = "The attacker's own choice" if standing.row.chosen else "The strongest attacker"
    clean = clean_rate(standing)
    before = "" if clean is None else f", and {clean:.0%} without a cloak"
    cost = "" if standing.ssim is None else f" The cloaked photos have a mean SSIM of {standing.ssim:.3f}."
    return f"{way}, {deciding}, {does} {_share(standing)} of {rate.n} {units}{before}.{cost}"


def _share(standing: Standing) -> str:
    rate = standing.rate
    if rate is None or rate.value is None:
        return "an unknown share"
    if rate.low is None or rate.high is None:
        return f"{rate.value:.0%}"
    return f"{rate.value:.0%} ({CONFIDENT} interval {rate.low:.0%} to {rate.high:.0%})"


def _rate(standing: Standing) -> str:
    title = FIGURES[standing.row.figure].title
    rate = standing.rate
    return f"{title} unknown" if rate is None or rate.value is None else f"{title} {rate.value:.2f}"


def _detectable(row: PanelRow) -> str:
    if row.detectable is None or row.users is None:
        return ""
    points = f"{100 * row.detectable:.0f} points"
    return f" With {row.users} users, rates must differ by about {points} to be told apart."


def missing(standing: Standing) -> str:
    """How many attacks a row lacks, by why: other runs had them, or its own cells have no complete result."""
    other = len(standing.not_run)
    own = len(standing.row.missing) - other
    counts = [f"{other} not run"] * bool(other) + [f"{own} without a result"] * bool(own)
    return ", ".join(counts)


def _flagged(standing: Standing, track: Sequence[Standing]) -> str:
    notes = [str(flag) for flag in standing.row.flags]
    not_run = set(standing.not_run)
    if not_run:
        met = [name for name, row in zip(row_names(track), track, strict=True) if not_run & set(row.cells)]
        notes.append(f"{_attacks(len(not_run))} met only by {', '.join(met)}, and not run against this row")
    failed = len(standing.row.missing) - len(not_run)
    notes += [f"{_attacks(failed)} without a complete result"] if failed else []
    return f" Read with care: {'; '.join(notes)}." if notes else ""


def _attacks(number: int) -> str:
    return "one attack" if number == 1 else f"{number} attacks"
