"""`bench new`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import Verb
from bench.errors import UserError, unknown_name
from bench.plan.words import either

KINDS = ("defense",)
_HELP = """The files of a defense of your own: plug-in, test and page, in a folder that can be installed.

Example: bench new defense my-mask --out my-mask

It works as it is: 'pip install -e my-mask', then 'bench list defenses' has it. Files that are there are never
written over.
"""


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("new", cls=Verb, help=_HELP)(new)


def _checked(kind: str) -> str:
    """A kind of plug-in that can be begun.

    Raises:
        UserError: It cannot.
    """
    if kind not in KINDS:
        raise unknown_name("kind", kind, KINDS, command="bench new --help")
    return kind


def new(
    kind: Annotated[str, typer.Argument(help=either(KINDS), callback=_checked)],
    name: Annotated[str, typer.Argument(help="what it will be called on the command line")],
    out: Annotated[Path | None, typer.Option(help="the folder to write to")] = None,
) -> None:
    """Parse, write, print.

    Raises:
        UserError: There is no folder to write to.
    """
    from bench.scaffold.defense import new_defense
    from bench.store.folders import expanded

    if out is None:
        raise UserError(f"a new {kind} is written to a folder. Type bench new {kind} {name} --out {name}.")
    for path in new_defense(name, expanded(out)):
        sys.stdout.write(f"{path}\n")
