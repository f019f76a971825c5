"""Conclusions on the pages: each rests on expressions over the committed records, and all of them hold."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

from bench.board.attackers import attacker_rows

ROOT = Path(__file__).resolve().parents[2]
NUMBER = re.compile(r"(?<![\w.:/-])(\d[\d,]*(?:\.\d+)?|\.\d+)(\s?%)?(?![\w/-])")
"""A figure in prose; names such as `linf:8` or `pi-3` hold none."""


@pytest.fixture
def claims(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`.ci/claims.py`, the words that claims are written in."""
    monkeypatch.syspath_prepend(ROOT / ".ci")
    return importlib.import_module("claims")


def prose(text: str) -> str:
    """A block without what is no figure of it: code, addresses and list markers."""
    text = re.sub(r"`[^`]*`|\]\([^)]*\)|arXiv [\d.]+|\b95 %", " ", text, flags=re.S)
    return re.sub(r"^\s*- ", "", text)


def figures(text: str) -> set[float]:
    """The figures of a text; a percentage counts as a share."""
    return {
        round(float(number.replace(",", "")) / (100 if percent else 1), 6)
        for number, percent in NUMBER.findall(text)
    }


def test_every_claim_holds(claims: Any) -> None:
    expressions = [
        (block.page, text) for page in claims.PAGES for block in claims.blocks(page) for text in block.claims
    ]
    assert expressions
    assert [(page, text) for page, text in expressions if claims.value(text) is not True] == []


def test_every_figure_of_a_sentence_occurs_in_its_claims(claims: Any) -> None:
    loose = {}
    for page in claims.PAGES:
        for block in claims.blocks(page):
            held = set().union(*(figures(text) for text in block.claims)) if block.claims else set()
            if not block.method and (missing := figures(prose(block.text)) - held):
                loose[f"{page}: {block.text[:60]}"] = sorted(missing)
    assert loose == {}


def test_every_paragraph_of_the_findings_has_a_claim_or_says_how(claims: Any) -> None:
    blocks = [*claims.blocks("docs/findings.md")]
    assert len(blocks) > 20
    assert [block.text[:60] for block in blocks if not block.claims and not block.method] == []


def test_the_words_of_claims_find_cells(claims: Any) -> None:
    # 20 users in the demo, 3 defenses through 3 encoders against one attacker
    assert claims.users(claims.DEMO) == 20
    assert len(claims.cells(claims.DEMO)) == 9
    assert claims.cfr(claims.DEMO, "none", "dbscan", claims.IR) == 1
    assert claims.formed(claims.DEMO, "advmask", "dbscan", claims.IR) == frozenset()
    with pytest.raises(LookupError, match="3 cells"):
        claims.cell(claims.DEMO, "none", "dbscan", claims.ANY)
    with pytest.raises(LookupError, match="0 cells"):
        claims.cell(claims.DEMO, "none", "hdbscan", claims.IR)


def test_a_false_claim_and_a_loose_figure_are_seen(claims: Any) -> None:
    assert claims.value('cfr(DEMO, "none", "dbscan", IR) < 0.5') is False
    assert figures(prose("- Users: 53 of the 80 (35 %), 30,000 strangers, .35 with `linf:8` at 95 %.")) == {
        53,
        80,
        0.35,
        30000,
    }


def test_the_page_on_attackers_names_those_that_never_win(claims: Any) -> None:
    page = (ROOT / "docs" / "attackers.md").read_text("utf-8")
    section = page.partition("## How often each was the strongest")[2].partition("\n## ")[0]
    folders = re.findall(r"^<!-- bench board (.*) --view attackers", section, re.M)[0].split()
    everywhere = "+".join(Path(folder).name for folder in folders)
    told = section.partition("Anywhere in these records ")[2].partition("never won")[0]
    rows = attacker_rows(claims.records_of(everywhere))
    won = {row.attacker for row in rows if row.strongest or row.chosen}
    never = {row.attacker for row in rows} - won
    assert set(re.findall(r"`([\w-]+)`", told)) == never
    flagged = [row.attacker for row in rows if row.attacker in never and row.flagged > row.cells / 2]
    assert len(flagged) == 4
