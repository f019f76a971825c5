"""`bench plan`."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from bench.cli.options import with_options
from bench.cli.run import check_required, read_command
from bench.errors import unknown_name
from bench.plan.axes import AXES, COMMAND
from bench.plan.doors import COMMAND_LINE
from bench.plan.words import either

FORMATS = ("text", "json")
_HELP = """What a run would be: cells, what is cached, time, memory, the smallest detectable difference.

Example: bench plan --suite standard --users 60

The options are those of 'bench run'. Nothing is computed, written or downloaded. Times are what stages took
on this machine; what was never run here is told apart.
"""


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("plan", help=_HELP)(plan)


@with_options([*AXES.values(), *COMMAND.values()])
def plan(
    options: dict[str, Any],
    kind: Annotated[str, typer.Option("--format", help=either(FORMATS))] = "text",
) -> None:
    """Parse, look, print."""
    from dataclasses import asdict

    from bench.cli.forecast import lines, lines_of_division
    from bench.engines.division import divided
    from bench.experiment.forecast import forecast
    from bench.machine.progress import Terminal
    from bench.plan.spec import RunSpec, read_options
    from bench.plan.suites import load

    if kind not in FORMATS:
        raise unknown_name("format", kind, FORMATS, command="bench plan --help")
    given = read_options({name: options[name] for name in AXES if name in options}, COMMAND_LINE)
    command = read_command(options)
    suite = command["suite"]
    if suite is None:
        check_required(given)
    asked = load(suite, given) if suite else RunSpec(**given)
    division = None
    if command["engine"] == "local":
        made = forecast(asked, Terminal())
    else:
        made, division = divided(asked, command["engine"], Terminal())
    if kind == "json" or command["json"]:
        document = asdict(made) | ({"engine": asdict(division)} if division else {})
        sys.stdout.write(json.dumps(document, indent=1) + "\n")
        return
    told = [*lines(made), *(lines_of_division(division) if division else ())]
    sys.stdout.write("".join(f"{line}\n" for line in told))
