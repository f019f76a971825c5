"""Markdown: a pipe table, and the notes as a list below it. A stranger's text stays text."""

from __future__ import annotations

import re
from typing import Any

from bench.board.escaping import printable
from bench.board.table import Table
from bench.board.wording import worded

_ACTIVE = re.compile(
    r"[\\`*|~$]|(?<!\w)_|_(?!\w)|\](?=[(\[:])|(?<=http):|(?<=https):|(?<=ftp):|(?<=www)\.", re.IGNORECASE
)
"""What Markdown would read as a mark or a link. A `_` within a word and a `[` that opens no link are none."""


def render(table: Table[Any]) -> str:
    """A table in Markdown."""
    names, rows = worded(table)
    if not rows:
        return "no cells\n"
    lines = [[inline(name) for name in names], ["---"] * len(names)]
    lines += [[inline(text) for text in row] for row in rows]
    text = "".join("| " + " | ".join(cells) + " |\n" for cells in lines)
    return text + ("\n" if table.notes else "") + "".join(f"- {inline(note)}\n" for note in table.notes)


def inline(text: str) -> str:
    """A text that reads the same in a cell of a pipe table: no mark, no link, no HTML."""
    one_line = " ".join(printable(text).split())
    html = one_line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _ACTIVE.sub(lambda mark: f"\\{mark[0]}", html)
