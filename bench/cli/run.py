"""`bench run`."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bench.board.escaping import printable
from bench.cli.options import with_options
from bench.errors import UserError
from bench.plan.axes import AXES, COMMAND
from bench.plan.doors import COMMAND_LINE

if TYPE_CHECKING:
    from bench.experiment.session import RunResult
    from bench.machine.progress import Progress
    from bench.plan.spec import RunSpec

    Asked = Callable[[Progress], tuple[RunSpec | Sequence[RunSpec], Sequence[str]]]

_EXAMPLE = """
Example: bench run --defense none --defense advmask --attacker dbscan --budget linf:8 --users 20

A program in any language is --defense command:FILE.toml ('bench list defenses'; docs/add-a-defense.md).
Repeat an option to make a matrix. A run that was stopped goes on where it was when it is repeated.
"""


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("run", help="Run one cell, or a matrix of cells, and print the board.\n" + _EXAMPLE)(run)


@with_options([*AXES.values(), *COMMAND.values()])
def run(options: dict[str, Any]) -> None:
    """Parse, run, print."""
    from bench.plan.spec import RunSpec, read_options
    from bench.plan.suites import load

    given = read_options({name: options[name] for name in AXES if name in options}, COMMAND_LINE)
    command = read_command(options)
    suite = command["suite"]
    if suite is None:
        check_required(given)
    carry_out(command, lambda _: (load(suite, given) if suite else RunSpec(**given), ()), whole=suite is None)


def read_command(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that are no part of a run, read.

    Raises:
        UserError: One of them has a wrong value.
    """
    return {name: row.read(options.get(name, row.default), COMMAND_LINE) for name, row in COMMAND.items()}


def carry_out(command: Mapping[str, Any], asked: Asked, *, whole: bool = True) -> None:
    """Run what was asked for, and print and keep what came of it.

    Args:
        command: What `read_command` gives.
        asked: Makes the matrix, or several, and says what the user should know of it.
        whole: Whether the whole board is printed.
    """
    from bench.board import preview as picture
    from bench.engines.ahead import engine
    from bench.experiment import cloaks as photos
    from bench.experiment import files
    from bench.experiment.asked import remember
    from bench.experiment.session import execute
    from bench.machine.progress import Terminal
    from bench.plan.spec import RunSpec
    from bench.store.folders import folders
    from bench.store.writing import try_file, try_folder

    ahead = engine(command["engine"])
    out, preview, cloaks = command["out"], command["preview"], command["save_cloaks"]
    if out is not None:
        try_folder(out, instead=files.INSTEAD)
    if preview is not None:
        picture.form(preview)
        try_file(preview, instead=picture.INSTEAD)
    if cloaks is not None:
        try_folder(cloaks, instead=photos.INSTEAD)
    spare = None if out is None else files.spare(out)
    specs, notes = asked(Terminal())

    def begin(cells: Sequence[str]) -> None:
        if spare and out is not None:
            spare(cells)
            remember([specs] if isinstance(specs, RunSpec) else specs, out, Path(folders().home))

    result = execute(specs, Terminal(), begin=begin, ahead=ahead)
    if out is not None:
        files.write(result, out)
    if command["json"]:
        sys.stdout.write(result.records.to_json() + "\n")
    else:
        print_board_of(result, whole=whole)
    if preview is not None:
        picture.draw(preview, result.pipeline.pairs())
    if cloaks is not None:
        photos.write_cloaks(result, cloaks, Terminal())
    _tell(result, notes)


def check_required(given: Mapping[str, object]) -> None:
    """See that what has to be named is named.

    Raises:
        UserError: It is not.
    """
    missing = [name for name, row in AXES.items() if row.required and row.field not in given]
    if missing:
        raise UserError(
            f"nothing to run: --{missing[0]} is missing. Name one, or a --suite: 'bench list' has names."
        )


def print_board_of(result: RunResult, *, whole: bool) -> None:
    """The board, unless there are too many rows to look at; what one step further does, and the panel."""
    from bench.board.user_tables import UserTable
    from bench.board.views import view
    from bench.cli.printing import print_board

    users = {
        cell: UserTable.of(tables["users"], tables["photos"])
        for cell, tables in result.tables.items()
        if tables
    }
    if whole:
        print_board(view("cells").table(result.records, users))
    else:
        sys.stdout.write(f"{len(result.records)} cells; 'bench board' prints those that --out keeps.\n\n")
        sys.stdout.write("the cluster-formation rate, one step from DBSCAN on the surrogate:\n")
        print_board(view("steps").table(result.records, users))
    if len({record.attacker.name for record in result.records}) > 1:
        sys.stdout.write(
            "\nan attack that was chosen on the attacker's own cloaks counts, "
            "and the strongest of the panel stands beside it:\n"
        )
        print_board(view("panel").table(result.records, users))


def _tell(result: RunResult, notes: Sequence[str]) -> None:
    """Say what went wrong besides; end with status 1 if a cell failed by a fault of ours, 2 by the user's."""
    ours = [fault for fault in result.faults if not isinstance(fault, UserError)]
    refused = [str(fault) for fault in result.faults if isinstance(fault, UserError)]
    for line in dict.fromkeys([*notes, *result.notes, *refused]):
        sys.stderr.write(f"bench: {printable(line)}\n")
    for fault in ours:
        sys.stderr.write("".join(traceback.format_exception(fault)))
    if result.faults:
        sys.stderr.write(f"bench: {len(result.faults)} cells failed; all others are kept.\n")
        raise typer.Exit(1 if ours else 2)
