"""`bench export`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import Verb
from bench.errors import UserError
from bench.exports import formats
from bench.plan.words import either

_INSTEAD = "choose another --out"


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    about = (
        "Records -> the formats of other tools and sites.\n\n"
        "Example: bench export out/demo --to every-eval-ever --out out/export\n\n"
        "Example: bench export out/demo --to bibtex --out paper"
    )
    app.command("export", cls=Verb, help=about)(export)


def export(
    records: Annotated[list[Path], typer.Argument(help="folders written by 'bench run --out'")],
    to: Annotated[
        str, typer.Option(help=f"{either(formats.names())}; see docs/export.md", callback=formats.checked)
    ],
    out: Annotated[Path | None, typer.Option(help="the folder that is written into")] = None,
) -> None:
    """Parse, read, write.

    Raises:
        UserError: There is no folder to write into.
    """
    if out is None:
        raise UserError(f"an export is a folder: bench export --to {to} needs one. Type --out {to}.")
    from bench.exports.source import read
    from bench.store.writing import try_folder, write_output

    try_folder(out, instead=_INSTEAD)
    files = {out / name: content for name, content in formats.files(to, read(records)).items()}
    write_output(files, f"the export to {out}", instead=_INSTEAD)
    for path in files:
        sys.stdout.write(f"{path}\n")
