"""`bench board`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bench.records.record import CellRecord


class Format(StrEnum):
    """How a board is written."""

    TEXT = "text"
    MD = "md"
    CSV = "csv"
    JSON = "json"


class View(StrEnum):
    """What the rows are."""

    CELLS = "cells"
    PANEL = "panel"
    ATTACKERS = "attackers"
    FALLS = "falls"


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("board", help="Records -> leaderboard.\n\nExample: bench board out/demo --format md")(board)


def board(
    records: Annotated[list[Path], typer.Argument(help="folders written by 'bench run --out', or files")],
    kind: Annotated[Format, typer.Option("--format", help="text, md, csv or json")] = Format.TEXT,
    view: Annotated[
        View, typer.Option(help="cells, panel, attackers or falls; see docs/running.md")
    ] = View.CELLS,
    out: Annotated[Path | None, typer.Option(help="file to write instead of stdout")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="the same as --format json")] = False,
) -> None:
    """Parse, read, print."""
    from bench.board.table import to_csv, to_markdown
    from bench.cli.printing import print_rows
    from bench.errors import UserError
    from bench.records.files import Records, read

    cells = {record.cell: record for path in records for record in read(path)}
    chosen = Format.JSON if as_json else kind
    if chosen is Format.JSON and view is View.CELLS:
        text = Records(cells.values()).to_json() + "\n"
    else:
        rows, columns = _table(view, records, cells)
        if chosen is Format.TEXT and out is None:
            print_rows(rows, columns)
            return
        if chosen is Format.JSON:
            text = json.dumps(rows, indent=1) + "\n"
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


def _table(
    view: View, folders: list[Path], cells: dict[str, CellRecord]
) -> tuple[list[dict[str, str]], Sequence[str]]:
    """Rows and columns of one view of the records."""
    from bench.board import attackers, one_step, panel, table
    from bench.board.user_tables import read_users

    if view is View.PANEL:
        return panel.to_rows(panel.panels(cells.values(), read_users(folders))), panel.COLUMNS
    if view is View.ATTACKERS:
        return attackers.to_rows(cells.values()), attackers.COLUMNS
    if view is View.FALLS:
        return one_step.to_rows(cells.values(), read_users(folders)), one_step.COLUMNS
    return table.board(cells.values()), table.COLUMNS
