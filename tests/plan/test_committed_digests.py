"""Cells keep their digests: what was asked of a committed record is asked by the same digest today."""

from __future__ import annotations

from pathlib import Path

import pytest

import bench
from bench.faces.detectors import parameters
from bench.plan.resolve import resolve
from bench.plan.spec import RunSpec
from bench.records import read
from bench.types import Folders

RESULTS = Path(__file__).resolve().parents[2] / "results"
DEMO = RunSpec(
    defenses=("none", "noise", "advmask"),
    attackers=("dbscan",),
    encoders=("synth-ir", "synth-inc", "synth-vit"),
    surrogates=("synth-ir",),
    budgets=("linf:8",),
)
"""The command in results/built-in/COMMAND."""


def digests(spec: RunSpec, home: Path) -> list[str]:
    return [cell.digest for cell in resolve(spec, Folders(home=str(home)), parameters(), "cpu").cells]


def test_the_cells_of_the_demo_have_the_digests_of_the_committed_records(tmp_path: Path) -> None:
    records = read(RESULTS / "built-in")
    assert digests(DEMO, tmp_path) == [record.cell for record in records]


def test_the_version_is_in_no_digest_of_a_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = digests(DEMO, tmp_path)
    monkeypatch.setattr(bench, "__version__", "99.0.0")
    assert digests(DEMO, tmp_path) == before
