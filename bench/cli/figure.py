"""`bench figure`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.charts.names import EMBEDDING, NAMES, PAPER
from bench.cli.options import Verb
from bench.errors import UserError, unknown_name
from bench.plan.words import either


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    about = (
        "Records -> a figure of a paper, the same as on the site.\n\n"
        "Example: bench figure frontier out/demo --out frontier.pdf --data\n\n"
        "Example: bench figure embedding out/demo --out embedding.svg\n\n"
        "Example: bench figure paper out/demo --out figures"
    )
    app.command("figure", cls=Verb, help=about)(figure)


def _checked(name: str) -> str:
    """The name of a figure that there is.

    Raises:
        UserError: There is none of this name.
    """
    if name not in (*NAMES, PAPER):
        raise unknown_name("figure", name, [*NAMES, PAPER], command="bench figure --help")
    return name


def figure(
    name: Annotated[
        str, typer.Argument(help=f"{either([*NAMES, PAPER])} (all that a paper needs)", callback=_checked)
    ],
    records: Annotated[list[Path], typer.Argument(help="folders written by 'bench run --out'")],
    out: Annotated[
        Path | None,
        typer.Option(help="the picture, such as frontier.svg, .pdf or .png; of 'paper', a folder"),
    ] = None,
    cell: Annotated[
        str | None,
        typer.Option(help="of 'embedding': how the digest of its cell begins; else the first row's"),
    ] = None,
    data: Annotated[bool, typer.Option("--data", help="write what it shows beside it, as CSV")] = False,
) -> None:
    """Parse, read, draw.

    Raises:
        UserError: There is no place to draw into.
    """
    if out is None:
        where = "figures" if name == PAPER else f"{name}.svg"
        raise UserError(f"a figure is drawn into a file: bench figure {name} needs one. Type --out {where}.")
    from bench.board.loading import load
    from bench.charts.chart import checked_ending
    from bench.charts.drawing import INSTEAD, draw, draw_paper
    from bench.charts.kinds import charts, one_cell, paper
    from bench.store.writing import try_file, try_folder

    if name == PAPER:
        try_folder(out, instead=INSTEAD)
        figures, lacking = paper(*load(records, of_users=True, of_photos=True))
        for path in draw_paper(figures, out):
            sys.stdout.write(f"{path}\n")
        for line in lacking:
            sys.stderr.write(f"bench: {line}\n")
        return
    checked_ending(out.name)
    try_file(out, instead=INSTEAD)
    read = load(records, of_users=True, of_photos=True)
    if name == EMBEDDING:
        from bench.machine.progress import Terminal
        from bench.site.pictures import map_of

        draw([map_of(one_cell(*read, cell), Terminal())], out, data=data)
        return
    draw(charts(name, *read), out, data=data)
