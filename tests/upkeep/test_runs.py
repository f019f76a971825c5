"""Real runs: what is kept for some records is all that they need."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

import bench
from bench.machine.progress import Silent
from bench.store.cache import Cache
from bench.store.shared import VARIABLE
from bench.upkeep.export import export
from bench.upkeep.prune import Rule, prune

PEOPLE = {"dataset": "synthetic:people=12,photos-each=4", "users": 2, "photos": 4, "background": 2}
MINE = PEOPLE | {
    "defense": ["none", "pgd:steps=2"], "surrogate": "synth-ir", "attacker": ["dbscan", "hdbscan"],
    "encoder": "synth-ir", "channel": ["none", "jpeg:75"], "adaptation": ["none", "finetune:steps=2"],
}  # fmt: skip
OTHER = PEOPLE | {"defense": "blur", "attacker": "dbscan", "encoder": "synth-vit"}


def run(options: Mapping[str, object], home: Path, monkeypatch: pytest.MonkeyPatch) -> frozenset[str]:
    """The digests of the cells of a run."""
    monkeypatch.setenv("BENCH_HOME", str(home))
    return frozenset(record.cell for record in bench.run(**options))  # type: ignore[arg-type]


def forget_cells(home: Path) -> int:
    """Remove the results of cells, and leave what they were made from."""
    files = [path for path in (home / "cache" / "cell").rglob("*") if path.is_file()]
    for path in files:
        path.unlink()
    return len(files)


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stages of which something is stored from now on, other than how long work took."""
    stages: list[str] = []
    put_rows, put_file = Cache.put_rows, Cache.put_file

    def rows(self: Cache, stage: str, rows: Mapping[str, bytes]) -> None:
        stages.extend([stage] * (bool(rows) and not stage.startswith("cost")))
        put_rows(self, stage, rows)

    def file(self: Cache, stage: str, key: str, content: bytes) -> None:
        stages.append(stage)
        put_file(self, stage, key, content)

    monkeypatch.setattr(Cache, "put_rows", rows)
    monkeypatch.setattr(Cache, "put_file", file)
    return stages


def test_what_is_kept_for_records_spares_all_but_their_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored: list[str]
) -> None:
    run(OTHER, tmp_path, monkeypatch)
    mine = run(MINE, tmp_path, monkeypatch)
    done = prune(tmp_path, Rule(cells=mine))
    assert done.unexplained == 0
    assert done.dropped[0] > 0
    assert forget_cells(tmp_path) == len(mine)
    stored.clear()
    assert run(MINE, tmp_path, monkeypatch) == mine
    assert stored == ["cell"] * len(mine)
    # and nothing of the others is left
    stored.clear()
    run(OTHER, tmp_path, monkeypatch)
    assert {"embedding", "cloak", "cell"} <= set(stored)


def test_what_is_exported_for_records_spares_another_machine_all_but_their_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored: list[str]
) -> None:
    run(OTHER, tmp_path / "here", monkeypatch)
    mine = run(MINE, tmp_path / "here", monkeypatch)
    export(tmp_path / "here", str(tmp_path / "shared"), mine, Silent())
    for path in (tmp_path / "shared" / "cell").rglob("*"):
        if path.is_file():
            path.unlink()
    monkeypatch.setenv(VARIABLE, str(tmp_path / "shared"))
    stored.clear()
    assert run(MINE, tmp_path / "there", monkeypatch) == mine
    assert stored == ["cell"] * len(mine)


def test_cells_of_workers_say_what_they_were_made_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    from bench.cli import app

    monkeypatch.setenv("BENCH_HOME", str(tmp_path))
    words = [word for key, value in OTHER.items() for word in (f"--{key}", str(value))]
    done = CliRunner().invoke(app, ["run", *words, "--engine", "processes:1", "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    cells = frozenset(
        cell["cell"] for cell in json.loads((tmp_path / "out" / "records.json").read_text())["cells"]
    )
    pruned = prune(tmp_path, Rule(cells=cells))
    assert pruned.unexplained == 0
    assert pruned.kept[0] > len(cells)
