"""Whoever comes from version 0.1 keeps their records, and a store that does no harm.

`made-by-0.1.tar.xz` holds a BENCH_HOME and the records of one command of version 0.1 (commit 4f63fc7), on
drawn faces: `bench run --defense none --defense noise --attacker dbscan --attacker knn --dataset
synthetic:people=14,photos-each=4 --users 3 --photos 4 --background 2 --encoder synth-ir`.
"""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from tests.cli.conftest import Command, bench

__all__ = ["bench"]

RUN = (
    *("run", "--defense", "none", "--defense", "noise", "--attacker", "dbscan"),
    *("--dataset", "synthetic:people=14,photos-each=4", "--users", "3", "--photos", "4", "--background", "2"),
    *("--encoder", "synth-ir"),
)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A folder with `home` and `records` of version 0.1."""
    with tarfile.open(Path(__file__).parent / "made-by-0.1.tar.xz") as archive:
        archive.extractall(tmp_path / "old", filter="data")
    return tmp_path / "old"


def figures(printed: str) -> dict[str, object]:
    """Cell -> what was found."""
    return {cell["cell"]: (cell["metrics"], cell["outcomes"]) for cell in json.loads(printed)["cells"]}


def test_a_run_in_an_old_store_is_that_of_a_new_one(bench: Command, old: Path, tmp_path: Path) -> None:
    fresh = bench(*RUN, "--json", BENCH_HOME=tmp_path / "fresh")
    done = bench(*RUN, "--json", BENCH_HOME=old / "home")
    assert (fresh.status, done.status) == (0, 0)
    assert figures(done.out) == figures(fresh.out)
    assert "damaged" not in done.err  # what 0.1 stored has other keys, and is not looked at
    again = bench(*RUN, "--json", BENCH_HOME=old / "home")
    assert figures(again.out) == figures(fresh.out)
    assert all(cell["cost"]["reused"] for cell in json.loads(again.out)["cells"])


def test_an_old_store_is_shown_verified_and_pruned(bench: Command, old: Path, tmp_path: Path) -> None:
    home = old / "home"
    assert "cloak" in bench("cache", BENCH_HOME=home).out
    done = bench("cache", "verify", BENCH_HOME=home)
    assert (done.status, done.out) == (0, "whole: 0; damaged: 0; of version 0.1, not used any more: 169\n")
    assert bench(*RUN, "--out", tmp_path / "new", BENCH_HOME=home).status == 0
    pruned = bench("cache", "prune", "--records", tmp_path / "new", "--json", BENCH_HOME=home)
    assert json.loads(pruned.out)["dropped"]["results"] == 169
    assert "of version 0.1" not in bench("cache", "verify", BENCH_HOME=home).out
    again = bench(*RUN, "--json", BENCH_HOME=home)
    assert all(cell["cost"]["reused"] for cell in json.loads(again.out)["cells"])


def test_old_records_stay_readable_in_a_track_of_their_own(bench: Command, old: Path, tmp_path: Path) -> None:
    records = old / "records"
    assert bench("validate", records).status == 0
    assert bench(*RUN, "--out", tmp_path / "new", BENCH_HOME=tmp_path / "fresh").status == 0
    for view in ("cells", "panel", "leaders", "attackers"):
        done = bench("board", records, tmp_path / "new", "--view", view, "--format", "json")
        assert (done.status, done.err) == (0, "")
    rows = json.loads(bench("board", records, tmp_path / "new", "--format", "json").out)
    assert {row["protocol"] for row in rows} == {"cloakbench/1", "cloakbench/2"}


def test_an_old_baseline_is_no_baseline(bench: Command, old: Path, tmp_path: Path) -> None:
    assert bench(*RUN, "--out", tmp_path / "new", BENCH_HOME=tmp_path / "fresh").status == 0
    done = bench("gate", tmp_path / "new", "--baseline", old / "records", "--max-drop", "0.1")
    assert done.status == 2
    assert "the baseline is of protocol cloakbench/1, and the new cell of cloakbench/2" in done.out
