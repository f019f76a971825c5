"""`bench board`."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How a board is written."""

    TEXT = "text"
    MD = "md"
    CSV = "csv"
    JSON = "json"


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("board", help="Records -> leaderboard.\n\nExample: bench board out/demo --format md")(board)


def board(
    records: Annotated[list[Path], typer.Argument(help="folders written by 'bench run --out', or files")],
    kind: Annotated[Format, typer.Option("--format", help="text, md, csv or json")] = Format.TEXT,
    panel: Annotated[
        bool, typer.Option("--panel", help="the strongest of all attackers for each defense, with ranks")
    ] = False,
    attackers: Annotated[
        bool, typer.Option("--attackers", help="how often each attacker was the strongest")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="file to write instead of stdout")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="the same as --format json")] = False,
) -> None:
    """Parse, read, print."""
    from bench.board import attackers as strongest
    from bench.board import panel as panels
    from bench.board.table import COLUMNS, to_csv, to_markdown
    from bench.board.table import board as rows_of
    from bench.cli.printing import print_rows
    from bench.errors import UserError
    from bench.records import Records, read

    cells = {record.cell: record for path in records for record in read(path)}
    chosen = Format.JSON if as_json else kind
    columns: tuple[str, ...] = COLUMNS
    rows = rows_of(cells.values())
    if panel and attackers:
        raise UserError("--panel and --attackers are two tables: ask for one.")
    if attackers:
        rows, columns = strongest.to_rows(cells.values()), strongest.COLUMNS
    if panel:
        tables = {cell: table for path in records for cell, table in panels.read_users(path).items()}
        rows, columns = panels.to_rows(panels.panels(cells.values(), tables)), panels.COLUMNS
    if chosen is Format.TEXT and out is None:
        print_rows(rows, columns)
        return
    if chosen is Format.JSON:
        text = (
            json.dumps(rows, indent=1) + "\n"
            if panel or attackers
            else Records(cells.values()).to_json() + "\n"
        )
    else:
        text = to_csv(rows, columns) if chosen is Format.CSV else to_markdown(rows, columns)
    if out is None:
        sys.stdout.write(text)
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"cannot write the board to {out}: {error.strerror}. Choose another --out."
        ) from error
