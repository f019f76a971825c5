"""`bench collect`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import Verb

_HELP = """Report what a run has done so far, while it still goes on or after it was stopped.

Example: bench collect out/mine

DIR is the --out of the run. The records and tables of all cells that are in the store are written there, as
the run itself writes them at its end, and the board of them is printed. Nothing is computed.
"""


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("collect", cls=Verb, help=_HELP)(collect)


def collect(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="the --out of a run")],
    as_json: Annotated[bool, typer.Option("--json", help="print the records instead of the board")] = False,
) -> None:
    """Recall, read, write, print."""
    from bench.cli.run import print_board_of
    from bench.experiment import files
    from bench.experiment.asked import recall
    from bench.experiment.session import execute
    from bench.machine.progress import Terminal
    from bench.records.files import CELLS, read
    from bench.store.folders import folders
    from bench.store.writing import try_folder

    specs = recall(folder, Path(folders().home))
    try_folder(folder, instead=files.INSTEAD)
    result = execute(specs, Terminal(), begin=files.spare(folder), stored_only=True)
    has = {record.cell for record in read(folder)} if (folder / CELLS.file).exists() else set()
    if has - {record.cell for record in result.records}:
        sys.stderr.write(f"bench: {folder} has records of cells that failed, and is left as it is.\n")
    elif result.records:
        files.write(result, folder)
    if as_json:
        sys.stdout.write(result.records.to_json() + "\n")
    elif result.records:
        print_board_of(result, whole=len(specs) == 1)
    sys.stderr.write(
        f"bench: {result.asked - len(result.records)} of {result.asked} cells are not there yet.\n"
    )
