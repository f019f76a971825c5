"""A site of several folders says which attacks no run of a row had, and which failed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.board.loading import load
from bench.board.panel import Standing, standings
from bench.records.record import Named
from bench.site.verdicts import missing, verdict

Plant = Callable[..., Path]


def cell(defense: str, attacker: str, count: int | None) -> dict[str, Any]:
    """A cell in which the first `count` of 20 users are found."""
    found = None if count is None else [i < count for i in range(20)]
    users = [f"user {i:04}" for i in range(20)]
    parts = {"defense": Named(name=defense), "attacker": Named(name=attacker)}
    return {"found": found, "users": users, **parts}


def track_of(*folders: Path) -> list[Standing]:
    (track,) = standings(*load(folders, of_users=True, of_photos=True))
    return track


def test_what_another_folder_has_is_not_run_and_what_failed_is_without_a_result(plant: Plant) -> None:
    first = plant(
        "first", cell("mask", "dbscan", 1), cell("mask", "louvain", None), cell("veil", "dbscan", 9)
    )
    second = plant("second", *(cell("veil", name, 12) for name in ("hdbscan", "leiden", "louvain")))
    rows = {standing.row.defense: standing for standing in track_of(first, second)}
    assert set(rows["mask"].row.missing) == {"hdbscan / net", "leiden / net", "louvain / net"}
    assert set(rows["mask"].not_run) == {"hdbscan / net", "leiden / net"}
    assert missing(rows["mask"]) == "2 not run, 1 without a result"
    assert missing(rows["veil"]) == ""
    assert rows["mask"].row.rank_first is None  # as before: what was not met cannot be ranked
    said = verdict([rows["mask"], rows["veil"]]).text
    assert "2 attacks met only by veil, and not run against this row" in said
    assert "one attack without a complete result" in said
    assert "missing" not in said


def test_one_folder_lacks_nothing(plant: Plant) -> None:
    track = track_of(plant("only", cell("mask", "dbscan", 1), cell("veil", "dbscan", 9)))
    assert [missing(standing) for standing in track] == ["", ""]
    assert "not run" not in verdict(track).text


def test_the_pages_say_it(plant: Plant, build: Callable[..., dict[str, bytes]]) -> None:
    first = plant("first", cell("mask", "dbscan", 1))
    site = build(first, plant("second", cell("veil", "dbscan", 9), cell("veil", "leiden", 9)))
    assert "1 not run" in site["index.html"].decode()
