"""`bench validate`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import Verb
from bench.plan.words import either

_FORMATS = ("json", "text")
_FEW = 20
_HELP = """Recompute what can be recomputed of packs of 'bench submit', and of folders of records.

Exit status: 0 all of it matches, 1 something does not match, 2 cannot be read.

Example: bench validate mine.zip

Each thing that does not match is a line. What cannot be recomputed is named, too.
"""


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("validate", cls=Verb, help=_HELP)(validate)


def validate(
    submissions: Annotated[
        list[Path], typer.Argument(help="packs of 'bench submit', and folders of records")
    ],
    kind: Annotated[str, typer.Option("--format", help=either(_FORMATS))] = "text",
    all_digests: Annotated[
        bool, typer.Option("--all-digests", help=f"resolve every cell on drawn faces; else {_FEW} of them")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="the same as --format json")] = False,
) -> None:
    """Parse, recompute, print."""
    from bench.errors import unknown_name
    from bench.machine.progress import Terminal
    from bench.submission.report import to_json
    from bench.submission.validation import validate as validated

    if kind not in _FORMATS:
        raise unknown_name("format", kind, _FORMATS, command="bench validate --help")
    most = None if all_digests else _FEW
    reports = [validated(path, Terminal(), digests=most) for path in submissions]
    if as_json or kind == "json":
        sys.stdout.write(to_json(reports))
    else:
        sys.stdout.write("\n".join(report.to_text() for report in reports))
    if not all(report.matches for report in reports):
        raise typer.Exit(1)
