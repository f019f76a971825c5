"""`bench board`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.board import render, views
from bench.cli.options import Verb
from bench.plan.words import either

_INSTEAD = "choose another --out"


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    about = "Records -> leaderboard.\n\nExample: bench board out/demo --format md"
    app.command("board", cls=Verb, help=about)(board)


def board(
    records: Annotated[list[Path], typer.Argument(help="folders written by 'bench run --out', or files")],
    kind: Annotated[
        str, typer.Option("--format", help=either(render.names()), callback=render.checked)
    ] = "text",
    view: Annotated[
        str, typer.Option(help=f"{either(views.names())}; see docs/running.md", callback=views.checked)
    ] = "cells",
    out: Annotated[Path | None, typer.Option(help="file to write instead of stdout")] = None,
    wide: Annotated[bool, typer.Option(help="every column and word, however narrow the terminal")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="the same as --format json")] = False,
) -> None:
    """Parse, read, print."""
    from bench.board.loading import load
    from bench.cli.printing import print_board
    from bench.store.writing import try_file, write_output

    if out is not None:
        try_file(out, instead=_INSTEAD)

    chosen = views.view(view)
    table = chosen.table(*load(records, of_users=chosen.of_users, of_photos=chosen.of_photos))
    if kind == "text" and not as_json and out is None:
        print_board(table, wide=wide)
        return
    text = render.render("json" if as_json else kind, table)
    if out is None:
        sys.stdout.write(text)
        return
    write_output({out: text.encode()}, f"the board to {out}", instead=_INSTEAD)
