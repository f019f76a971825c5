"""`bench submit`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import Verb

_INSTEAD = "choose another --out"
_HELP = """Pack the records of a run with digests, so that somebody else can check them.

Example: bench submit out/mine --out mine.zip --by "Ann Lee" --url https://example.org

Photos of real people are never packed. The same files give the same bytes.
"""


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("submit", cls=Verb, help=_HELP)(submit)


def submit(
    records: Annotated[Path, typer.Argument(help="folder written by 'bench run --out'")],
    out: Annotated[Path, typer.Option(help="the pack to write, such as mine.zip")],
    cloaks: Annotated[
        Path | None,
        typer.Option(help="folder of cloaked photos to pack, too, if their licence is open"),
    ] = None,
    by: Annotated[str | None, typer.Option(help="who hands it in")] = None,
    url: Annotated[str | None, typer.Option(help="an address of the web of whoever hands it in")] = None,
) -> None:
    """Parse, read, pack, write."""
    from bench.machine.progress import Terminal
    from bench.store.writing import try_file, write_output
    from bench.submission.packing import author, pack

    try_file(out, instead=_INSTEAD)
    whose = author(by, url)
    content = pack(records, cloaks, whose, Terminal())
    write_output({out: content}, f"the pack to {out}", instead=_INSTEAD)
    sys.stdout.write(f"{out}\n")
