"""Small runs on drawn faces, sharing one BENCH_HOME: photos are drawn, detected and embedded once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bench.experiment.session import RunResult, execute
from bench.plan.spec import RunSpec
from bench.records.record import CellRecord

ENCODER = "synth-ir"
SMALL = RunSpec(
    dataset="synthetic:people=12,photos-each=6",
    encoders=(ENCODER,),
    users=2,
    photos=4,
    labelled=2,
    background=2,
    device="cpu",
)
"""12 people: 2 users, 6 to calibrate on, 2 for reference, 2 in the background; 38 photos in all."""

Run = Callable[..., RunResult]


@pytest.fixture(scope="session")
def small() -> RunSpec:
    """What a test changes a thing or two of."""
    return SMALL


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run SMALL with some fields changed, in BENCH_HOME, or in another `home`."""

    def go(home: object = None, **changes: Any) -> RunResult:
        if home is not None:
            monkeypatch.setenv("BENCH_HOME", str(home))
        return execute(replace(SMALL, **changes))

    return go


@pytest.fixture
def one(run: Run) -> Callable[..., CellRecord]:
    """The only record of such a run; it must have gone well."""

    def go(**changes: Any) -> CellRecord:
        result = run(**changes)
        assert not result.faults
        (record,) = result.records
        assert record.status == "ok"
        return record

    return go
