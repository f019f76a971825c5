"""The main job as a whole: cold, and again when everything is cached. Two users, the real stages."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import bench
from bench.records import Records


def small() -> Records:
    return bench.run(
        dataset="synthetic:people=40",
        defense=["none", "advmask"],
        encoder="synth-ir",
        users=2,
        photos=6,
        background=6,
    )


def test_cold(benchmark: BenchmarkFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    benchmark.group = "the main job, two users"
    homes = iter(range(10))

    def fresh() -> None:
        monkeypatch.setenv("BENCH_HOME", str(tmp_path / str(next(homes))))

    records = benchmark.pedantic(small, setup=fresh, rounds=2)
    assert not any(record.cost.reused for record in records)


def test_warm(benchmark: BenchmarkFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    benchmark.group = "the main job, two users"
    monkeypatch.setenv("BENCH_HOME", str(tmp_path))
    small()
    records = benchmark(small)
    assert all(record.cost.reused for record in records)
