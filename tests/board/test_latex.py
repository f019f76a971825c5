"""LaTeX tables: they compile, fit on a page, and print strangers' texts as text."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.board import views
from bench.board.loading import load
from bench.board.render.latex import escaped, render
from bench.board.table import Column, Table
from bench.board.values import OneSided
from bench.records.record import Metric
from injecting.hostile_texts import PIECES

RESULTS = Path(__file__).resolve().parents[2] / "results"
BOARDS = (("built-in", "leaders"), ("draws", "leaders"), ("chosen-lfw", "panel"), ("standard", "steps"))


@dataclass(frozen=True)
class Line:
    """A row of planted values."""

    rank: str
    who: str
    rate: Metric | OneSided


def planted(*rows: Line) -> Table[Line]:
    return Table(
        Line,
        rows,
        (
            Column("rank", lambda row: row.rank, place=1),
            Column("data set", lambda row: "lfw_deep"),
            Column("who & how", lambda row: row.who, place=2),
            Column("rate [95 %]", lambda row: row.rate, place=3),
        ),
        ("a note\n\\end",),
    )


RATE = Metric(value=0.5, low=0.25, high=1.0, n=20, better="lower")


def compiled(table: str, folder: Path) -> str:
    """What TeX says of a document with this table; it stops at the first error."""
    tex = shutil.which("pdflatex")
    if tex is None:
        pytest.skip("no pdflatex here")
    document = "\\documentclass{article}\n\\usepackage{booktabs,array}\n\\begin{document}\n"
    (folder / "board.tex").write_text(document + table + "\\end{document}\n", "utf-8")
    stop = ["-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "board.tex"]
    done = subprocess.run([tex, *stop], cwd=folder, capture_output=True, timeout=120, check=False)
    said = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, said[-2000:]
    return said


def test_a_table_says_what_rows_agree_on_in_its_caption() -> None:
    table = render(planted(Line("1-2", "a_b", RATE), Line("1-2", "c%", OneSided(RATE, least=True))))
    assert r"\caption{Rank 1-2; data set lfw\_deep. Intervals of 95 \% in brackets." in table
    assert r"who \& how & rate {[}95 \%] \\" in table
    assert r"a\_b & $0.50\,{\scriptsize[0.25,\,1.00]}$ \\" in table
    assert r"c\% & $\geq$$0.50\,{\scriptsize[0.25,\,1.00]}$ \\" in table
    assert r"$\geq$, $\leq$: the attacker is weak" in table
    assert table.rstrip().splitlines()[-1] == "% a note \\end"


def test_ties_are_ranges() -> None:
    table = render(planted(Line("1-2", "a", RATE), Line("3", "b", RATE)))
    assert "1--2 & a" in table
    assert "A range of ranks is a tie" in table


def test_no_rows_are_a_comment() -> None:
    assert render(planted()) == "% no cells\n"


@pytest.mark.parametrize(("name", "view"), BOARDS)
def test_a_board_compiles_and_fits_on_a_page(name: str, view: str, tmp_path: Path) -> None:
    chosen = views.view(view)
    table = chosen.table(*load([RESULTS / name], of_users=chosen.of_users, of_photos=chosen.of_photos))
    assert "Overfull" not in compiled(render(table), tmp_path)


def test_hostile_texts_compile(tmp_path: Path) -> None:
    rows = [Line(piece, piece[::-1] + piece, RATE) for piece in PIECES]
    compiled(render(planted(*rows)), tmp_path)


@given(st.text(st.characters(codec="utf-8")))
def test_an_escaped_text_has_no_command_of_its_own(text: str) -> None:
    out = escaped(text)
    assert out.isascii()
    bare = re.sub(r"\\(?:text\w+\{\}|[{}$&#_%])|\$\\(?:geq|leq|pm|times)\$|\{[\[*]?\}", "", out)
    assert not set(bare) & set("\\{}$&#_%^~")
