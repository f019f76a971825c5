"""`bench curve`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    about = "Records -> how rates change along an axis.\n\nExample: bench curve out/demo --axis coverage"
    app.command("curve", help=about)(curve)


def curve(
    records: Annotated[list[Path], typer.Argument(help="folders written by 'bench run --out'")],
    axis: Annotated[str, typer.Option(help="distractors, dose, budget, coverage or calibration")],
    out: Annotated[Path | None, typer.Option(help="picture to draw, such as curve.png or curve.svg")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Parse, read, print and draw."""
    from bench.board.curves import curves, draw
    from bench.board.user_tables import read_users
    from bench.cli.printing import print_table
    from bench.records.files import read

    cells = {record.cell: record for path in records for record in read(path)}
    users = read_users(records)
    found = curves(cells.values(), users, axis)
    if out is not None:
        draw(out, found, axis)
    if as_json:
        document = [
            {
                "name": c.name,
                "figure": c.figure,
                axis: [p.x for p in c.points],
                "value": [p.value for p in c.points],
            }
            for c in found
        ]
        sys.stdout.write(json.dumps(document, indent=1) + "\n")
        return
    rows = [
        (
            c.name,
            c.figure,
            f"{p.x:g}",
            f"{p.value:.3f}",
            "" if p.low != p.low else f"{p.low:.3f} to {p.high:.3f}",
        )
        for c in found
        for p in c.points
    ]
    print_table(["curve", "figure", axis, "value", "95 %"], rows)
