"""`bench score`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bench.cli.options import Verb, with_options
from bench.plan.axes import AXES, COMMAND
from bench.plan.doors import COMMAND_LINE
from bench.plan.rows import Axis

if TYPE_CHECKING:
    from bench.machine.progress import Progress
    from bench.plan.spec import RunSpec

_HELP = """Score cloaks that any tool made: the files of one folder beside the photos of another.

Example: bench score --original photos --cloaked cloaks --tool mask --tool-version 1.2 --dataset synthetic

Photos are paired by name. The users are the sub-folders of --original, and the other people are those of
--dataset. Further options are those of 'bench run'; a --defense stands beside the tool.
"""

_OTHERWISE: Final[dict[str, dict[str, Any]]] = {
    "defense": {"about": "what stands beside the tool's cloaks", "left_out": "nothing", "required": False},
    "attacker": {"left_out": "dbscan", "required": False},
    "dataset": {"about": "whose people are around the users", "left_out": "must be given"},
    "surrogate": {
        "about": "what the tool optimised against",
        "takes": "none, a name, or `a+b` for several at once",
        "left_out": "unstated",
    },
}
"""What of the options of a run is otherwise here."""

OPTIONS: Final[dict[str, Axis]] = {
    name: replace(row, **_OTHERWISE.get(name, {}))
    for name, row in (AXES | COMMAND).items()
    if name not in ("suite", "engine")  # no other process knows the cloaks of a tool
}
"""The options of a run that this verb has."""


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("score", cls=Verb, help=_HELP)(score)


@with_options(OPTIONS.values())
def score(
    options: dict[str, Any],
    original: Annotated[
        str, typer.Option("--original", metavar="<path>", help="the users' photos, one sub-folder a user")
    ],
    cloaked: Annotated[str, typer.Option("--cloaked", metavar="<path>", help="what the tool made of them")],
    tool: Annotated[str, typer.Option("--tool", help="the tool's name")],
    tool_version: Annotated[str, typer.Option("--tool-version", help="the tool's version")],
    pairs: Annotated[
        str | None,
        typer.Option(
            "--pairs", metavar="<path>", help="a CSV with the columns original and cloaked; else by name"
        ),
    ] = None,
    own_cloaks: Annotated[
        str | None,
        typer.Option(
            "--own-cloaks",
            metavar="<path>",
            help="what the tool made of other people's photos, for attackers who know the tool",
        ),
    ] = None,
) -> None:
    """Parse, prepare, run, print."""
    from bench.cli.run import carry_out, read_command
    from bench.experiment.score import Cloaks, prepared
    from bench.plan.spec import read_options

    given = read_options({name: options[name] for name in AXES if name in options}, COMMAND_LINE, OPTIONS)
    table = None if pairs is None else Path(pairs)
    own = None if own_cloaks is None else Path(own_cloaks)
    cloaks = Cloaks(Path(original), Path(cloaked), tool, tool_version, table, own)

    def asked(progress: Progress) -> tuple[RunSpec, tuple[str, ...]]:
        scoring = prepared(cloaks, given, progress)
        return scoring.spec, scoring.notes

    carry_out(read_command(options), asked)
