"""What `bench plan` says before a run is what the run then is, and what it then takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bench.costs.estimate import Estimate
from bench.costs.measured import Measured
from bench.experiment.forecast import Forecast, forecast
from bench.experiment.session import RunResult, execute
from bench.plan.spec import RunSpec

FACTOR = 2


@dataclass(frozen=True)
class Told:
    """A run that was measured, a larger one that was planned, and that one."""

    home: Path
    small: RunResult
    plan: Forecast
    large: RunResult
    of_large: RunSpec
    processor: float


def core_seconds(costs: list[Measured]) -> float:
    return sum(one.first.core_seconds + one.spent.core_seconds for one in costs)


def files(home: Path) -> dict[str, tuple[int, int]]:
    found = [path for path in home.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in found}


@pytest.fixture(scope="module")
def told(small: RunSpec, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    first = replace(small, defenses=("none", "pgd:steps=2"), attackers=("dbscan", "hdbscan"), photos=3)
    larger = replace(
        first, defenses=("none", "pgd:steps=3", "pgd:steps=6"), attackers=("dbscan", "hdbscan"), users=4
    )
    larger = replace(larger, photos=6, channels=("none", "jpeg:75"))
    with pytest.MonkeyPatch.context() as patch:
        # what is loaded once in a process is loaded before anything is measured, whichever test came before
        patch.setenv("BENCH_HOME", str(tmp_path_factory.mktemp("warm")))
        execute(first)
        home = tmp_path_factory.mktemp("home")
        patch.setenv("BENCH_HOME", str(home))
        measured = execute(first)
        plan = forecast(larger)
        began = time.process_time()
        ran = execute(larger)
        yield Told(home, measured, plan, ran, larger, time.process_time() - began)


def test_an_estimate_is_within_a_factor_of_two(told: Told) -> None:
    # processor time: a machine that is busy with other work does not change it
    took = core_seconds(told.large.costs)
    assert took / FACTOR <= told.plan.estimate.core_seconds <= took * FACTOR
    assert took > 2 * core_seconds(told.small.costs)


def test_a_run_measures_all_of_its_own_time(told: Told) -> None:
    assert 0.5 * told.processor <= core_seconds(told.large.costs) <= told.processor


def test_a_plan_says_where_its_figures_are_from(told: Told) -> None:
    sources = {line.work: line.source for line in told.plan.estimate.lines}
    assert sources["embed a face: synth-ir"] == "measured here"
    assert sources["cloak a photo: pgd"] == "similar work, measured here"
    assert told.plan.estimate.complete


def test_a_plan_counts_what_a_run_then_does(told: Told) -> None:
    plan, records = told.plan, told.large.records
    assert (plan.cells, plan.cached, plan.skipped, plan.to_compute) == (len(records), 0, 0, len(records))
    put = {one.work.kind: 0 for one in told.large.costs}
    for one in told.large.costs:
        put[one.work.kind] += one.first.times + one.spent.times
    assert plan.cloaks == put["cloak"]
    # a photo without a face stays as it is, so that it was seen already: no plan can know of it
    pieces = {
        kind: sum(line.pieces for line in plan.estimate.lines if line.work.startswith(words))
        for kind, words in (("embed", "embed a face"), ("detect", "find the face"), ("answer", "ask "))
    }
    assert pieces["embed"] == plan.embeddings
    # what `none` publishes is seen as the clean photos are, so that the answer about them is there already
    for kind, slack in (("embed", 1.1), ("detect", 1.1), ("answer", 1.5)):
        assert put[kind] <= pieces[kind] <= slack * put[kind], kind


def test_nothing_is_left_of_a_run_that_is_done_and_nothing_is_touched(told: Told) -> None:
    before = files(told.home)
    again = forecast(told.of_large)
    assert (again.cells, again.cached, again.to_compute) == (told.plan.cells, told.plan.cells, 0)
    assert again.estimate == Estimate((), 0.0, 0.0, True, None)
    assert (again.photos, again.embeddings, again.cloaks) == (0, 0, 0)
    assert files(told.home) == before


def test_a_first_plan_has_figures_of_another_machine_and_makes_no_home(
    small: RunSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_HOME", str(tmp_path / "home"))
    plan = forecast(replace(small, defenses=("none", "blur"), attackers=("dbscan",)))
    sources = {line.source for line in plan.estimate.lines}
    assert sources <= {"of another machine", "unknown"}
    assert "of another machine" in sources
    assert not (tmp_path / "home").exists()
    assert plan.gpu_hours is None
    assert [(one.users, one.draws, one.pairs, one.difference) for one in plan.detectable] == [(2, 1, 1, None)]
