"""`bench compare`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.board import render
from bench.cli.options import Verb
from bench.plan.words import either

_INSTEAD = "choose another --out"
_HELP = """Two defenses, or two runs, on the same users: difference, interval, p, and who changed sides.

Example: bench compare advmask noise --records out/demo

Example: bench compare out/before out/after
"""


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("compare", cls=Verb, help=_HELP)(compare)


def compare(
    first: Annotated[str, typer.Argument(help="a defense with --records, else a folder of records")],
    second: Annotated[str, typer.Argument(help="what it is compared with, of the same kind")],
    records: Annotated[
        list[Path] | None, typer.Option(help="folder written by 'bench run --out'; may be repeated")
    ] = None,
    every: Annotated[
        bool, typer.Option("--every", help="also the strongest attack, all together, and each by itself")
    ] = False,
    kind: Annotated[
        str, typer.Option("--format", help=either(render.names()), callback=render.checked)
    ] = "text",
    out: Annotated[Path | None, typer.Option(help="file to write instead of stdout")] = None,
    wide: Annotated[bool, typer.Option(help="every column and word, however narrow the terminal")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="the same as --format json")] = False,
) -> None:
    """Parse, read, compare, print."""
    from bench.cli.printing import print_board
    from bench.comparison.reading import of_defenses, of_runs
    from bench.comparison.table import compare_table
    from bench.store.writing import try_file, write_output

    if out is not None:
        try_file(out, instead=_INSTEAD)
    pairing, *users = of_defenses(records, first, second) if records else of_runs(first, second)
    table = compare_table(pairing, *users, every=every)
    if kind == "text" and not as_json and out is None:
        print_board(table, wide=wide)
        return
    text = render.render("json" if as_json else kind, table)
    if out is None:
        sys.stdout.write(text)
        return
    write_output({out: text.encode()}, f"the comparison to {out}", instead=_INSTEAD)
