"""A plan has as many cells as the run makes records, whatever is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.experiment.forecast import forecast
from bench.experiment.pipeline import Pipeline
from bench.experiment.recording import record_of
from bench.experiment.session import execute
from bench.plan.cells import Cell
from bench.plan.spec import RunSpec
from bench.plan.suites import load

SMALL: dict[str, Any] = {
    "dataset": "synthetic:people=12,photos-each=6",
    "encoders": ("synth-ir",),
    "users": 2,
    "photos": 4,
    "labelled": 2,
    "background": 2,
    "device": "cpu",
}
MIXES: dict[str, dict[str, Any]] = {
    "doses and channels": {
        "defenses": ("none", "noise"),
        "doses": (0.5, 1.0),
        "channels": ("none", "jpeg:75"),
    },
    "draws and distractors": {"distractors": (0, 100), "draws": 2},
    "roles": {"attackers": ("dbscan", "knn"), "second_steps": ("none", "assign")},
    "what attackers learn": {
        "defenses": ("pgd:steps=2",),
        "adaptations": ("none", "views", "whiten", "finetune+whiten"),
        "levels": ("oblivious", "adaptive"),
        "channels": ("none", "denoiser:5"),
    },
    "several networks": {"encoders": ("synth-ir", "synth-vit", "weighted:synth-ir+synth-vit")},
    "a cloak detector": {"defenses": ("noise",), "cloak_detector": "residuals"},
    "twice the same": {"defenses": ("none", "none"), "attackers": ("dbscan", "dbscan:min_samples=3")},
}


@pytest.fixture
def uncomputed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Runs go through all of their cells, in an empty home, and compute none."""

    def record(pipeline: Pipeline, cell: Cell) -> tuple[Any, dict[str, Any]]:
        return record_of(cell, pipeline.plan.device, status="failed", error="not computed"), {}

    monkeypatch.setattr(Pipeline, "_compute", record)
    monkeypatch.setenv("BENCH_HOME", str(tmp_path / "home"))


def counted(specs: RunSpec | Sequence[RunSpec]) -> tuple[int, int]:
    """How many cells a plan has, and how many of them are skipped; the run has as many."""
    plan, records = forecast(specs), execute(specs).records
    skipped = sum(record.status == "skipped" for record in records)
    assert (plan.cells, plan.skipped) == (len(records), skipped)
    assert plan.to_compute + plan.skipped + plan.cached == plan.cells
    assert sum(track.cells for track in plan.tracks) == plan.cells
    assert plan.estimate.lines
    return plan.cells, plan.skipped


@pytest.mark.usefixtures("uncomputed")
@pytest.mark.parametrize("mix", MIXES)
def test_a_mix_of_options(mix: str) -> None:
    spec = RunSpec(**({"defenses": ("none",), "attackers": ("dbscan",)} | SMALL | MIXES[mix]))
    cells, skipped = counted(spec)
    assert cells > skipped
    assert (skipped > 0) == (mix == "roles")


@pytest.mark.usefixtures("uncomputed")
def test_quick() -> None:
    assert counted([replace(spec, encoders=("all",)) for spec in load("quick", SMALL)]) == (72, 0)


@pytest.mark.slow
@pytest.mark.usefixtures("uncomputed")
def test_standard() -> None:
    given = {name: value for name, value in SMALL.items() if name not in ("encoders", "labelled")}
    cells, _ = counted(load("standard", given | {"encoders": ("synth-ir", "synth-vit"), "labelled": 2}))
    assert cells > 500
