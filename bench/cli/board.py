"""`bench board`."""

from __future__ import annotations

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
    out: Annotated[Path | None, typer.Option(help="file to write instead of stdout")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="the same as --format json")] = False,
) -> None:
    """Parse, read, print."""
    from bench.board.table import board as rows_of
    from bench.board.table import to_csv, to_markdown
    from bench.cli.printing import print_board
    from bench.errors import UserError
    from bench.records import Records, read

    cells = {record.cell: record for path in records for record in read(path)}
    chosen = Format.JSON if as_json else kind
    if chosen is Format.TEXT and out is None:
        print_board(cells.values())
        return
    if chosen is Format.JSON:
        text = Records(cells.values()).to_json() + "\n"
    else:
        rows = rows_of(cells.values())
        text = to_csv(rows) if chosen is Format.CSV else to_markdown(rows)
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
