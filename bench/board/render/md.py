"""Markdown: a pipe table, and the notes as a list below it."""

from __future__ import annotations

from typing import Any

from bench.board.table import Table
from bench.board.wording import worded


def render(table: Table[Any]) -> str:
    """A table in Markdown."""
    names, rows = worded(table)
    if not rows:
        return "no cells\n"
    lines = [names, ["---"] * len(names), *([_inline(text) for text in row] for row in rows)]
    text = "".join("| " + " | ".join(cells) + " |\n" for cells in lines)
    return text + ("\n" if table.notes else "") + "".join(f"- {note}\n" for note in table.notes)


def _inline(text: str) -> str:
    """Words in a cell of a pipe table."""
    return " ".join(text.split()).replace("|", "\\|")
