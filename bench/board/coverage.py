"""What the rows of a panel should have met, so that what they did not meet is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache

from bench import registry
from bench.board.figures import FIGURES
from bench.board.tracks import but_for, defense, encoder
from bench.plan.scenarios import SCENARIOS, Role, role
from bench.records.record import CellRecord

_JUDGED_BY: Mapping[tuple[str, Role], tuple[str, ...]] = {
    ("introduced", "clusterer"): ("cfr",),
    ("linked", "clusterer"): ("cfr", "cfr_link"),
    ("linked", "identifier"): ("psr1",),
    ("evasion", "identifier"): ("psr1",),
    ("poisoning", "identifier"): ("protection_rate",),
}
"""Scenario and role of an attacker -> the figures that it gives."""


def judged_by(record: CellRecord) -> list[str]:
    """The figures that a cell has, or would have had if it had not failed."""
    if record.status == "ok":
        return [figure for figure in FIGURES if figure in record.metrics]
    scenario = record.scenario.name
    roles = _roles(record.attacker.name) or (SCENARIOS[scenario].roles if scenario in SCENARIOS else ())
    return list(dict.fromkeys(figure for role in roles for figure in _JUDGED_BY.get((scenario, role), ())))


@cache
def _roles(attacker: str) -> tuple[Role, ...]:
    """The role of an attacker; none where no attacker of this name is installed."""
    if attacker not in registry.names("attackers"):
        return ()
    return (role(registry.load("attackers", attacker)),)


def companies(
    cells: Sequence[CellRecord], places: Mapping[str, str]
) -> dict[tuple[str, str], tuple[str, ...]]:
    """Track and row -> the encoders and draws that the row should have met; rows that share them compare.

    A row should have met every encoder that any row of its track met, but for those that it met in another
    track: there the defense knew more of them, or less.

    Args:
        cells: Of any runs.
        places: Cell -> its track.
    """
    met: dict[tuple[str, str], set[str]] = defaultdict(set)
    draws: dict[tuple[str, str], set[str]] = defaultdict(set)
    of_track: dict[str, set[str]] = defaultdict(set)
    anywhere: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    family: dict[str, str] = {}
    for record in cells:
        place, row = places[record.cell], defense(record)
        met[place, row].add(encoder(record))
        draws[place, row].add(f"draw {record.draw}")
        family[place] = but_for(record, "knowledge")
        anywhere[family[place], row].add((place, record.encoder.name))
        if record.knowledge != "white-box":  # through its surrogates a row meets what no other can
            of_track[place].add(encoder(record))
    company = {}
    for (place, row), own in met.items():
        elsewhere = {name for other, name in anywhere[family[place], row] if other != place}
        company[place, row] = (*sorted(own | (of_track[place] - elsewhere)), *sorted(draws[place, row]))
    return company
