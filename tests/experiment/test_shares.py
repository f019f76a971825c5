"""Whoever makes the shares of cells leaves them nothing that is common to several."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from bench.experiment import shares
from bench.experiment.pipeline import Pipeline
from bench.experiment.shares import Share
from bench.faces.finder import detector_parameters
from bench.machine.devices import device
from bench.plan.doors import PYTHON
from bench.plan.resolve import resolve
from bench.plan.spec import RunSpec, read_options
from bench.release.publisher import GROUP
from bench.store.cache import Cache
from bench.types import Folders

PEOPLE = {"dataset": "synthetic:people=20,photos-each=6", "users": 3, "photos": 4, "background": 4}
COMMON = {"face", "embedding", "cloak", "adapted", "told"}


class Stored(Cache):
    """A store that writes down of what stages something is stored."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.stages: list[str] = []

    def put_rows(self, stage: str, rows: Mapping[str, bytes]) -> None:
        self.stages += [stage] * len(rows)
        super().put_rows(stage, rows)

    def put_file(self, stage: str, key: str, content: bytes) -> None:
        self.stages.append(stage)
        super().put_file(stage, key, content)


def pipeline(home: Path, **options: object) -> tuple[Pipeline, Stored]:
    spec = RunSpec(**read_options(PEOPLE | options, PYTHON))
    where, cache = Folders(home=str(home), real_data=None), Stored(home)
    plan = resolve(spec, where, detector_parameters(), device("cpu"))
    return Pipeline(plan, where, cache), cache


def every_share(made: Pipeline) -> list[Share]:
    """The shares of its only cell, in the order in which they can be made."""
    (cell,) = made.plan.cells
    kinds = shares.counts(cell, made.plan.splits[cell.repetition], made.plan.device)
    return [Share(kind, part, of) for some in kinds for kind, of in some for part in range(of)]


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "SLICE", 7)
    monkeypatch.setitem(GROUP, "cpu", 4)


@pytest.mark.parametrize(
    "options",
    [
        {"attacker": "dbscan"},
        {"attacker": "dbscan", "channel": "jpeg:75+tv:0.05", "level": "adaptive"},
        {"attacker": "pairwise", "level": "adaptive"},
        {"attacker": "dbscan", "adaptation": "views:random=2", "level": "adaptive"},
        {"attacker": "dbscan", "adaptation": "finetune:steps=2", "encoder": "synth-ir+synth-vit"},
        {"attacker": "dbscan", "adaptation": "whiten", "encoder": "weighted:synth-ir+synth-vit"},
    ],
    ids=["plain", "channel", "learned clusterer", "views", "trained", "weighted"],
)
def test_a_cell_finds_what_its_shares_are(tmp_path: Path, options: dict[str, object]) -> None:
    options = {"encoder": "synth-ir", "surrogate": "synth-ir"} | options
    noise, _ = pipeline(tmp_path / "shared", defense="noise", **options)
    noise.run()  # the cells' control
    made, cache = pipeline(tmp_path / "shared", defense="pgd:steps=2", **options)
    (cell,) = made.plan.cells
    every = every_share(made)
    assert sum(share.kind == "cloak" for share in every) >= 3
    for share in every:
        made.make(cell, share)
    before = set(cache.stages)
    assert {"cloak", "face"} <= before
    cache.stages.clear()
    # another process, that has nothing in memory
    again, cache = pipeline(tmp_path / "shared", defense="pgd:steps=2", **options)
    record, _ = again.run_cell(again.plan.cells[0])
    assert COMMON & set(cache.stages) == set(), cache.stages
    alone, _ = pipeline(tmp_path / "alone", defense="pgd:steps=2", **options)
    expected, _ = alone.run_cell(alone.plan.cells[0])
    assert record.comparable() == expected.comparable()


def test_each_share_makes_something_of_its_own(tmp_path: Path) -> None:
    made, cache = pipeline(
        tmp_path,
        defense="pgd:steps=2",
        surrogate="synth-ir",
        encoder="synth-ir",
        attacker="dbscan",
        level="adaptive",
    )
    (cell,) = made.plan.cells
    for share in every_share(made):
        cache.stages.clear()
        made.make(cell, share)
        assert {"cloak": "cloak", "look": "embedding", "look at": "embedding"}[share.kind] in cache.stages


def test_what_is_small_or_depends_on_a_purifier_of_ones_own_is_left_to_the_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned, _ = pipeline(
        tmp_path,
        defense="blur",
        encoder="synth-ir",
        attacker="dbscan",
        channel="denoiser:2",
        level="adaptive",
    )
    assert every_share(learned) == []
    monkeypatch.setattr(shares, "SLICE", 10_000)
    monkeypatch.setitem(GROUP, "cpu", 10_000)
    small, _ = pipeline(tmp_path, defense="blur", encoder="synth-ir", attacker="dbscan")
    assert every_share(small) == []
