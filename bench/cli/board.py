"""`bench board`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.board import render, views
from bench.cli.options import Verb
from bench.errors import UserError, unknown_name
from bench.plan.words import either

_INSTEAD = "choose another --out"

SITE = "html"
"""The format that is no text but a folder of pages."""


def formats() -> list[str]:
    """Every format, in alphabetical order."""
    return sorted([*render.names(), SITE])


def _checked(name: str) -> str:
    """The name of a format that there is.

    Raises:
        UserError: There is none of this name.
    """
    if name not in formats():
        raise unknown_name("format", name, formats(), command="bench board --help")
    return name


def _link(text: str) -> str:
    """A link to a page, as somebody typed it.

    Raises:
        UserError: It is none.
    """
    if text.startswith("https://") or ":" not in text:
        return text
    raise UserError(
        f"--documentation {text}: takes a file beside the site, or an address that begins with https://."
    )


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    about = (
        "Records -> leaderboard: a table, or a site of pages that open without a server.\n\n"
        "Example: bench board out/demo --format md\n\n"
        "Example: bench board out/demo --format html --out site"
    )
    app.command("board", cls=Verb, help=about)(board)


def board(
    records: Annotated[list[Path], typer.Argument(help="folders written by 'bench run --out', or files")],
    kind: Annotated[
        str, typer.Option("--format", help=f"{either(formats())} (a site, with --out)", callback=_checked)
    ] = "text",
    view: Annotated[
        str, typer.Option(help=f"{either(views.names())}; see docs/running.md", callback=views.checked)
    ] = "cells",
    out: Annotated[
        Path | None, typer.Option(help="file to write instead of stdout; of a site, its folder")
    ] = None,
    wide: Annotated[bool, typer.Option(help="every column and word, however narrow the terminal")] = False,
    pictures: Annotated[
        bool,
        typer.Option(
            "--pictures", help="on a site, what cloaks of drawn faces look like and how embeddings move"
        ),
    ] = False,
    documentation: Annotated[
        str,
        typer.Option(
            metavar="LINK", help="on a site, where the documentation is: a file beside it, or https://…"
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="the same as --format json")] = False,
) -> None:
    """Parse, read, print."""
    if kind == SITE and not as_json:
        _site(records, out, pictures=pictures, home=_link(documentation))
        return
    for option, given in (("--pictures", pictures), ("--documentation", documentation)):
        if given:
            raise UserError(f"{option} is for a site of pages. Type --format html --out site, too.")
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


def _site(records: list[Path], out: Path | None, *, pictures: bool, home: str) -> None:
    """Read, build and write a site.

    Raises:
        UserError: There is no folder to write into.
    """
    if out is None:
        raise UserError("a site is a folder of pages: --format html needs one. Type --out site.")
    from bench.machine.progress import Terminal
    from bench.site.folder import publish

    publish(records, out, Terminal(), pictures=pictures, home=home)
