"""Texts in records that a terminal, a spreadsheet or a page would obey."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from bench.errors import UserError
from injecting.folders_of_records import at, document_of, drawn, everything, lay, places, tables_of
from injecting.injection import Injection, Outcome, draws

PIECES = (
    "\x1b[31m", "\x1b]0;title\x07", "\x9b2J", "\x00", "\x08", "\r", "\n", "\t", "\u202e", "\u2066",
    "\u200b", "\u2028", "|", "||", "\\", "\\|", "`", "``", "*", "**", "_", "~~", "$",
    "<script>alert(1)</script>", "<img src=x>", "<!--", "&lt;", "[a](javascript:alert(1))",
    "![a](http://a.b)", "[a]: http://a.b", "http://a.b", "www.a.b", "<javascript:a>", "=cmd|' /C calc'!A0",
    "=1+1", "+1", "-1", "-2+3", "@SUM(1)", "\t=1", "\r=1", " =1", ";=1", '"=1', "'", '"', ",", ";", "[red]",
    "[/red]", ":smile:", "{{7*7}}", "%s", "é", "脸", "🙂", "e\u0301", "a" * 300, "word", " ", "#", "- ",
    "1. ", "---", "\\input{x}", "\ufeff", "\uff1d1",
)  # fmt: skip
"""What a terminal, Markdown, a spreadsheet, HTML or LaTeX would obey."""

_KEPT = frozenset({"status", "knowledge", "budget", "channel", "better", "code", "level", "cell"})
"""Fields whose texts decide what a record is: another one is damage, and no text of a stranger."""

_PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_PLAIN = frozenset({"text", "softbreak", "text_special"})


def _lines(text: str) -> Iterator[str]:
    """What a terminal obeys, or nobody sees."""
    for letter in text:
        if letter != "\n" and unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp", "Cs"):
            yield f"U+{ord(letter):04X}"


def _marks(text: str) -> Iterator[str]:
    """What is more than text in a Markdown table, and rows that have other cells than the heading."""
    row: list[str] = []
    heading: list[str] = []
    for token in _PARSER.parse(text):
        if token.type == "tr_open":
            row = []
        elif token.type in ("th_open", "td_open"):
            row.append(token.type)
        elif token.type == "tr_close":
            heading = heading or row
            if len(row) != len(heading):
                yield "a row of other length"
        elif token.type == "inline":
            yield from (child.type for child in token.children or () if child.type not in _PLAIN)
        elif not token.type.startswith(
            ("table", "thead", "tbody", "th_", "td_", "paragraph", "bullet", "list_item")
        ):
            yield token.type
    lines = [line for line in text.splitlines() if line.startswith("|")]
    bare = [line.replace("\\\\", "").replace("\\|", "").count("|") for line in lines]
    if len(set(bare)) > 1:
        yield "a line with other pipes"
    for line in lines:
        if any(start in line.lower() for start in ("http:", "https:", "www.", "<", "$" * 2)):
            yield "what becomes a link or HTML"
    yield from _lines(text)


def _formulas(text: str) -> Iterator[str]:
    """Cells that a spreadsheet would compute, and lines of another length than the heading."""
    rows = list(csv.reader(io.StringIO(text)))
    for row in rows:
        if len(row) != len(rows[0]):
            yield "a line of other length"
        for cell in row:
            for part in (cell, *cell.replace(",", ";").split(";")):
                begins = part.lstrip(" \t\r\n\"'\0")[:1] if not part.lstrip(' "').startswith("'") else ""
                if begins and begins in "=+-@\uff1d" and not _is_number(part):
                    yield f"a formula {part[:12]!r}"
    yield from _lines(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _no_json(text: str) -> Iterator[str]:
    def refuse(name: str) -> None:
        raise ValueError(name)

    try:
        document = json.loads(text, parse_constant=refuse)
    except ValueError as error:
        yield str(error)
        return
    if not text.isascii() or not isinstance(document, list):
        yield "no list in ASCII"


_OURS = re.compile(
    r"\\(?:text(?:backslash|asciicircum|asciitilde|less|greater|bar)\{\}|[{}$&#_%\\,]|(?:geq|leq|pm)(?![a-z]))"
    r"|\\(?:scriptsize|raggedright|arraybackslash|toprule|midrule|bottomrule|centering|small)(?![a-z])"
    r"|\\(?:begin|end)\{(?:table|tabular)\}|\\(?:caption|label)(?=\{)|\^\{\*\}|\{[\[*]?\}"
)
"""What a table in LaTeX is made of."""


def _commands(text: str) -> Iterator[str]:
    """What LaTeX would obey besides the table, and lines of another length than the heading."""
    table, end, comments = text.partition("\\end{table}\n")
    if not end and not text.startswith("% no cells"):
        yield "no table"
    if any(line and not line.startswith("%") for line in comments.splitlines()):
        yield "a line behind the table that is no comment"
    body = table.partition("\n")[2]
    command = re.search(r"[\\#_%^~]", bare := _OURS.sub("", body))
    if command:
        yield f"a command {bare[command.start() :][:12]!r}"
    lines = body.partition("\\toprule")[2].splitlines()
    if len({line.replace("\\&", "").count("&") for line in lines if line.endswith("\\\\")}) > 1:
        yield "a line of other length"
    yield from _lines(text)


JUDGES: Mapping[str, Callable[[str], Iterator[str]]] = {
    "csv": _formulas,
    "json": _no_json,
    "latex": _commands,
    "md": _marks,
    "narrow text": _lines,
    "text": _lines,
}
"""Format -> what is wrong with a text of it. A format without a judge is wrong."""


def hostile(rng: random.Random) -> str:
    """A text of a few pieces."""
    return "".join(rng.choices(PIECES, k=rng.randint(1, 5)))


def plant(cells: list[dict[str, Any]], rng: random.Random, share: float) -> int:
    """Replace texts of some cells, some names of objects among them, and say how many."""
    planted = 0
    for path in list(places(cells)):
        if not isinstance(at(cells, path), str) or path[-1] in _KEPT or rng.random() > share:
            continue
        at(cells, path[:-1])[path[-1]] = hostile(rng)
        planted += 1
    for cell in cells:
        if rng.random() < share:
            cell["error"] = hostile(rng)
        cell["calibrated"] = {**cell["calibrated"], hostile(rng): hostile(rng)}
        cell["outcomes"] = {**cell["outcomes"], hostile(rng): rng.randint(0, 9)}
    own = random.Random(planted)  # draws of its own, so that the others stay as they were
    for cell in cells[1::2]:
        cell["by"] = {
            "name": hostile(own)[:200],
            "url": own.choice(("", "https://", "http:")) + hostile(own)[:200],
        }
    return planted


def inject(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Plant texts in records, and print everything that is printed of them."""
    counts: Counter[Outcome] = Counter()
    for rng in draws(times, seed):
        cells = drawn(rng)
        users, photos = tables_of(cells)
        plant(cells, rng, rng.choice((0.02, 0.2, 1)))
        lay(folder, json.dumps(document_of(cells)).encode(), users, photos)
        counts[_outcome(folder, rng)] += 1
    return counts


def _outcome(folder: Path, rng: random.Random) -> Outcome:
    try:
        printed = everything([folder], rng)
    except UserError as error:
        wrong = "in several lines" if "\n" in str(error) or any(_lines(str(error))) else ""
        return Outcome(f"refused {wrong or 'in one line'}", not wrong)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the outcome
        return Outcome(f"ends with {type(error).__name__}", False)
    for (view, form), text in printed.items():
        judge = JUDGES.get(form)
        wrong = "nobody judges this format" if judge is None else next(judge(text), "")
        if wrong:
            return Outcome(f"{form} of {view}: {wrong}", False)
    return Outcome("every format of every view prints it as text", True)


TEXTS = Injection(
    "hostile-texts",
    "texts in records, in 2 %, 20 % or all of the fields that hold texts, are replaced by sequences that a "
    "terminal, Markdown, HTML, a spreadsheet or a formatter would obey",
    "each view in each format shows them as text, and obeys none; or the file is refused in one line",
    150,
    inject,
)
INJECTIONS = (TEXTS,)
