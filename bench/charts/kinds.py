"""Records -> charts of a kind, each kind by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from bench.board.one_step import step_rows
from bench.board.panel import standings
from bench.board.user_tables import Users
from bench.charts.chart import Chart
from bench.charts.frontier import frontiers
from bench.charts.heatmap import heatmaps
from bench.charts.lines import panel_lines
from bench.charts.names import NAMES
from bench.charts.naming import hardest_first
from bench.charts.steps import step_charts
from bench.errors import UserError, unknown_name
from bench.records.record import CellRecord

Make = Callable[[Sequence[CellRecord], Users], list[Chart]]


def _lines(name: str) -> Make:
    return lambda records, users: panel_lines(name, standings(records, users), users)


KINDS: Mapping[str, tuple[Make, str]] = {
    "frontier": (
        lambda records, users: frontiers(standings(records, users)),
        "no defense with a result says what its photos cost",
    ),
    "heatmap": (lambda records, users: heatmaps(standings(records, users)), "no cell can be ranked or shown"),
    "dose": (
        _lines("dose"),
        "no defense stands at two doses: '--dose 0.5 --dose 1' makes a run that has them",
    ),
    "sweep": (
        _lines("sweep"),
        "no defense stands at two budgets of L-infinity: '--budget linf:4 --budget linf:8' makes a run that "
        "has them",
    ),
    "distractors": (
        _lines("distractors"),
        "no defense stands among two numbers of strangers: '--distractors 0 --distractors 1000' makes a run "
        "that has them",
    ),
    "steps": (
        lambda records, users: step_charts(step_rows(records, users)),
        "no defense has surrogates, so that there is no first step",
    ),
}
"""Name of a kind -> what makes its charts, and why there may be none."""

_ALONG = ("dose", "sweep", "distractors")
_PAPER = ("frontier", "heatmap", "steps")


def charts(name: str, records: Sequence[CellRecord], users: Users) -> list[Chart]:
    """The charts of a kind.

    Args:
        name: one of `bench.charts.names.NAMES`.
        records: of any runs.
        users: their tables of users, with photos.

    Returns:
        At least one.

    Raises:
        UserError: There is no such kind, or these records have nothing to show in it.
    """
    if name not in KINDS:
        raise unknown_name("figure", name, NAMES, command="bench figure --help")
    make, why = KINDS[name]
    made = make(records, users)
    if not made:
        raise UserError(f"these records have no {name}: {why}.")
    return made


def one_cell(records: Sequence[CellRecord], users: Users, cell: str | None) -> CellRecord:
    """The record that a chart of one cell is about.

    Args:
        records: of any runs.
        users: their tables of users, with photos.
        cell: how its digest begins; None for the attack that decides the first row of the hardest track.

    Raises:
        UserError: There is none, or there are several.
    """
    if cell is None:
        for track in hardest_first(standings(records, users)):
            if track[0].deciding is not None:
                return track[0].cells[track[0].deciding][0]
        raise UserError("these records have no cell with a result.")
    found = [record for record in records if record.cell.startswith(cell)]
    if len(found) != 1:
        raise UserError(
            f"{len(found)} cells of these records begin with {cell!r}. The site shows the digest of every "
            "cell, and so does 'bench board --format csv'."
        )
    return found[0]


def paper(records: Sequence[CellRecord], users: Users) -> tuple[dict[str, list[Chart]], list[str]]:
    """The four figures that a paper needs: frontier, heat map, steps, and one along an axis.

    Args:
        records: of any runs.
        users: their tables of users, with photos.

    Returns:
        The charts of each kind, and why others are missing.

    Raises:
        UserError: There is not one.
    """
    made = {name: KINDS[name][0](records, users) for name in _PAPER}
    along = ((name, KINDS[name][0](records, users)) for name in _ALONG)
    made |= dict([next(((name, some) for name, some in along if some), (_ALONG[0], []))])
    lacking = [f"no {name}: {KINDS[name][1]}" for name, some in made.items() if not some]
    there = {name: some for name, some in made.items() if some}
    if not there:
        raise UserError(f"these records have no figure: {lacking[0]}.")
    return there, lacking
