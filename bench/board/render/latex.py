"""LaTeX: one table for a paper, with booktabs. A stranger's text stays text.

The caption says what all rows agree on, which is the track where there is one, and how the rates are to be
read. A page is narrow: the columns that decide are there, and a comment names the others.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from bench.board.escaping import printable
from bench.board.table import CONFIDENT, Column, Table
from bench.board.wording import AT_LEAST, AT_MOST, MARK, worded_columns
from bench.uncertainty.intervals import LEVEL

WIDTH = 78
"""Characters in small type that a line of a page of one column holds, with the gaps between columns."""

_GAP = 3
"""Characters that lie between two columns."""

_PROSE = 18
"""Characters of a column of sentences, which are broken into lines."""

_MARKS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": "`{}",
    "'": "'{}",
    "[": "{[}",
    "*": "{*}",
    AT_LEAST: r"$\geq$",
    AT_MOST: r"$\leq$",
    "±": r"$\pm$",
}
"""Characters that LaTeX would obey, join or miss, and how they are written."""

_RATE = re.compile(r"^(?P<bound>[≥≤] )?(?P<rate>\d[\d.]*)(?P<mark>\*?) \[(?P<low>\S+), (?P<high>\S+)\]")
_RANGE = re.compile(r"^(\d+)-(\d+)$")

_TEMPLATE = r"""%% needs \usepackage{booktabs,array}
\begin{table}
\centering
\caption{%(caption)s}
\label{tab:cloakbench}
\small
\begin{tabular}{%(kinds)s}
\toprule
%(head)s
\midrule
%(body)s
\bottomrule
\end{tabular}
\end{table}
"""


def render(table: Table[Any]) -> str:
    """A table in LaTeX."""
    columns = worded_columns(table)
    if not columns:
        return "% no cells\n"
    common = [each for each in columns if _is_common(*each)]
    shown = _chosen([each for each in columns if each not in common or len(table.rows) == 1])
    said = [(column, words[0]) for column, words in common if (column, words) not in shown]
    left = [column.heading for column, words in columns if (column, words) not in [*shown, *common]]
    lines = [" & ".join(_cell(words[i]) for _, words in shown) for i in range(len(table.rows))]
    text = _TEMPLATE % {
        "caption": _caption(said, [word for _, words in shown for word in words]),
        "kinds": "".join(_kind(column, words) for column, words in shown),
        "head": " & ".join(escaped(column.heading) for column, _ in shown) + r" \\",
        "body": "\n".join(line + r" \\" for line in lines),
    }
    return text + _comments(left, table.notes)


def escaped(text: str) -> str:
    """A text that LaTeX prints as it stands; letters beyond ASCII lose their accents, or become `?`."""
    one_line = " ".join(printable(text).split())
    return "".join(_MARKS.get(letter) or _plain(letter) for letter in one_line).replace("--", "-{}-{}")


def _plain(letter: str) -> str:
    if letter.isascii():
        return letter
    return unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode() or "?"


def _is_common(column: Column[Any], words: Sequence[str]) -> bool:
    return column.common and len(set(words)) == 1


def _kind(column: Column[Any], words: Sequence[str]) -> str:
    """How LaTeX sets a column: numbers to the right, and long texts in lines."""
    if any(re.match(r"^[≥≤]? ?\d", word) for word in words):
        return "r"
    if max(map(len, words)) <= _PROSE:
        return "l"
    return rf">{{\raggedright\arraybackslash}}p{{{_PROSE / 2:g}em}}"


def _wide(column: Column[Any], words: Sequence[str]) -> int:
    most = max(map(len, (column.heading, *words)))
    return _GAP + (most if _kind(column, words) == "r" else min(most, _PROSE))


def _chosen(columns: Sequence[tuple[Column[Any], list[str]]]) -> list[tuple[Column[Any], list[str]]]:
    """The columns that decide, as many as a page holds, in the table's order."""
    first: list[Column[Any]] = []
    left = WIDTH
    for column, words in sorted(columns, key=lambda each: each[0].place or math.inf):
        wide = _wide(column, words)
        if not first or (column.place and wide <= left):
            first.append(column)
            left -= wide
    return [each for each in columns if each[0] in first]


def _cell(words: str) -> str:
    if tied := _RANGE.match(words):
        return f"{tied[1]}--{tied[2]}"
    rate = _RATE.match(words)
    if rate is None:
        return escaped(words)
    mark = "^{*}" if rate["mark"] else ""
    interval = rf"{rate['rate']}{mark}\,{{\scriptsize[{rate['low']},\,{rate['high']}]}}"
    return f"{escaped(rate['bound'] or '')}${interval}${escaped(words[rate.end() :])}"


def _caption(common: Sequence[tuple[Column[Any], str]], words: Sequence[str]) -> str:
    track = "; ".join(f"{escaped(column.heading)} {escaped(word)}" for column, word in common)
    said = [f"{track[:1].upper()}{track[1:]}."] if track else []
    if any(map(_RATE.match, words)):
        said.append(f"Intervals of {escaped(CONFIDENT)} in brackets.")
    if any(map(_RANGE.match, words)):
        said.append("A range of ranks is a tie: noise cannot tell these rows apart.")
    if any(word.startswith((AT_LEAST, AT_MOST)) for word in words):
        said.append(r"$\geq$, $\leq$: the attacker is weak, and others would do more.")
    if any((rate := _RATE.match(word)) and rate["mark"] for word in words):
        said.append(rf"{MARK}: differs from the first column (McNemar, Holm-corrected $p \leq {LEVEL:g}$).")
    return " ".join(said)


def _comments(left: Sequence[str], notes: Sequence[str]) -> str:
    lines = [f"not shown: {', '.join(left)}"] if left else []
    return "".join(f"% {printable(line)}\n" for line in (*lines, *notes))
