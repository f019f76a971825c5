"""Boards that are committed beside their records are what `bench board` makes of these."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.board import render, views
from bench.board.loading import load

RESULTS = Path(__file__).resolve().parents[2] / "results"
VIEWS = {"board": "cells", "leaders": "leaders", "panel": "panel"}
BOARDS = sorted(path for name in VIEWS for path in RESULTS.glob(f"*/{name}.*"))


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_committed_board_is_what_its_records_give(path: Path) -> None:
    view = views.view(VIEWS[path.stem])
    table = view.table(*load([path.parent], of_users=view.of_users, of_photos=view.of_photos))
    assert render.render(path.suffix.removeprefix("."), table) == path.read_text("utf-8")


def test_there_are_committed_boards() -> None:
    assert len(BOARDS) >= 7


@pytest.mark.parametrize("name", ["standard-lfw", "standard"])
def test_the_page_on_statistics_counts_the_pairs_that_a_board_tells_apart(name: str) -> None:
    head, _, *rows = (RESULTS / name / "panel.md").read_text("utf-8").split("\n\n")[0].splitlines()
    place = head.split(" | ").index("rank")
    ranks = [row.split(" | ")[place] for row in rows]
    better = sum(int(rank.partition("-")[0]) - 1 for rank in ranks if rank.strip())
    page = (RESULTS.parent / "docs" / "statistics.md").read_text("utf-8")
    (told,) = re.findall(rf"\(\.\./results/{name}/panel\.md\)(?: tells|,\s+with 20 users,) (\d+)", page)
    assert better == int(told)
