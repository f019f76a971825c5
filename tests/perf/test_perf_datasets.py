"""Seconds from a tree of 13,000 photos, never seen before, to a card and a split: every file is read once."""

from __future__ import annotations

from pathlib import Path

import bench.datasets._files.digests as digests
import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench import registry
from bench.plan.resolve import open_dataset
from bench.plan.spec import RunSpec
from bench.types import Folders

PEOPLE, EACH, SIZE = 650, 20, 12_000
"""As many photos as LFW has, and as large."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("home")
    rng = np.random.Generator(np.random.Philox(0))
    for person in range(PEOPLE):
        for below, name in (("data/lfw", f"P_{person}"), ("data/vggface2/test", f"n{person:06d}")):
            (root / below / name).mkdir(parents=True)
        for at in range(EACH):
            content = rng.bytes(SIZE)
            lfw = root / "data" / "lfw" / f"P_{person}" / f"P_{person}_{at:04d}.jpg"
            lfw.write_bytes(content)
            (root / "data" / "vggface2" / "test" / f"n{person:06d}" / f"{at:04d}_01.jpg").hardlink_to(lfw)
    return root


@pytest.mark.parametrize("name", ["lfw", "vggface2", "folder"])
def test_open_a_tree(benchmark: BenchmarkFixture, home: Path, name: str) -> None:
    text = f"folder:{home / 'data' / 'lfw'}" if name == "folder" else name
    registry.load("datasets", name)

    def once() -> int:
        digests._computed.clear()
        _, data, _ = open_dataset(RunSpec(dataset=text, users=100), Folders(home=str(home)))
        assert data.card.revision
        return int(data.card.photos or 0)

    benchmark.group = "open a tree, its files never seen before"  # once it is timed its group is fixed
    photos = benchmark.pedantic(once, rounds=3, iterations=1)
    assert photos == PEOPLE * EACH
    assert benchmark.stats is not None
    benchmark.extra_info.update(photos=photos, photos_per_second=photos / benchmark.stats.stats.median)
