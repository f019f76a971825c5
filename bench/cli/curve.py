"""`bench curve`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.board import render
from bench.cli.options import Verb
from bench.plan.axes import NUMERIC
from bench.plan.words import either


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    about = "Records -> how rates change along an axis.\n\nExample: bench curve out/demo --axis coverage"
    app.command("curve", cls=Verb, help=about)(curve)


def curve(
    records: Annotated[list[Path], typer.Argument(help="folders written by 'bench run --out'")],
    axis: Annotated[str, typer.Option(help=either([*NUMERIC, "budget", "coverage", "calibration"]))],
    kind: Annotated[
        str, typer.Option("--format", help=either(render.names()), callback=render.checked)
    ] = "text",
    out: Annotated[Path | None, typer.Option(help="picture to draw, such as curve.png or curve.svg")] = None,
    wide: Annotated[bool, typer.Option(help="every column and word, however narrow the terminal")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="the same as --format json")] = False,
) -> None:
    """Parse, read, draw and print."""
    from bench.board.curve_table import curve_table
    from bench.board.curves import curves
    from bench.board.loading import load
    from bench.charts.chart import checked_ending
    from bench.charts.drawing import INSTEAD, draw
    from bench.charts.lines import curve_chart
    from bench.cli.printing import print_board
    from bench.store.writing import try_file

    if out is not None:
        checked_ending(out.name)
        try_file(out, instead=INSTEAD)
    drawn = curves(*load(records, of_users=True, of_photos=axis == "coverage"), axis)
    if out is not None:
        draw([curve_chart(drawn, axis)], out)
    table = curve_table(drawn, axis)
    if kind == "text" and not as_json:
        print_board(table, wide=wide)
    else:
        sys.stdout.write(render.render("json" if as_json else kind, table))
