"""Photos that go away, are cut or are exchanged while a run reads them leave nothing wrong behind.

Files and disturbances are real. The networks are stand-ins, quick and a function of the pixels alone.
"""

from __future__ import annotations

import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch

from bench.encoders.networks import embed
from bench.errors import UserError
from bench.experiment.session import RunResult, execute
from bench.plan.spec import RunSpec
from bench.types import Face, Image
from injecting.homes import read_home

PEOPLE, EACH = 12, 4
MOMENTS, TOGETHER = 50, 5
"""Disturbed runs, and how many of them share a home before an undisturbed one."""


class StandInDetector:
    """The whole photo is the face, but for dark photos, which have none."""

    def __init__(self, device: str) -> None:
        del device

    def detect(self, photos: Sequence[Image], boxes: object) -> list[Face | None]:
        time.sleep(0.002 * len(photos))
        return [self._face(photo) for photo in photos]

    def _face(self, photo: Image) -> Face | None:
        side = float(len(photo))
        points = tuple(
            (x * side, y * side) for x, y in ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))
        )
        return Face((0.0, 0.0, side, side), points, 1.0) if photo.mean() > 60 else None


class StandInEncoder:
    """Colours of 6 x 7 places of a crop."""

    runtime = "none"

    def __init__(self, card: Any, *_: object) -> None:
        self.card = card

    def embed(self, crops: torch.Tensor) -> torch.Tensor:
        def run(crop: torch.Tensor) -> torch.Tensor:
            places = torch.nn.functional.adaptive_avg_pool2d(crop, (6, 7)).flatten(1)
            return torch.nn.functional.pad(places - places.mean(), (0, 2))

        return embed(run, crops, "stand-in", self.card.dimensions)


@pytest.fixture
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.faces.detect.Detector", StandInDetector)
    monkeypatch.setattr("bench.encoders.load", StandInEncoder)
    monkeypatch.setattr("bench.faces.finder.CHUNK", {"cpu": 4})
    # the pauses are as long as the disturbances: some pass, others do not
    monkeypatch.setattr("bench.errors.PAUSES", (0.005, 0.01, 0.02, 0.04))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of people, each with photos that look alike."""
    rng = np.random.Generator(np.random.Philox(9))
    for person in range(PEOPLE):
        looks = rng.integers(90, 200, (6, 7, 3))
        for i in range(EACH):
            pixels = np.kron(looks + rng.integers(-20, 20, looks.shape), np.ones((12, 12, 1)))
            path = tmp_path / "photos" / f"person {person}" / f"{i}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            PIL.Image.fromarray(pixels.astype(np.uint8)).save(path, quality=90)
    return tmp_path / "photos"


def away(folder: Path, rng: random.Random) -> Callable[[], object]:
    aside = folder.with_name("aside")
    folder.rename(aside)
    return lambda: aside.rename(folder)


def person_away(folder: Path, rng: random.Random) -> Callable[[], object]:
    return away(rng.choice(sorted(folder.iterdir())), rng)


def some(folder: Path, rng: random.Random, change: Callable[[bytes], bytes]) -> Callable[[], object]:
    files = sorted(folder.rglob("*.jpg"))
    before = {path: path.read_bytes() for path in rng.sample(files, rng.choice([1, 4, len(files)]))}
    for path, content in before.items():
        path.write_bytes(change(content))
    return lambda: [path.write_bytes(content) for path, content in before.items()]


def cut(folder: Path, rng: random.Random) -> Callable[[], object]:
    return some(folder, rng, lambda content: content[: rng.randrange(len(content))])


def emptied(folder: Path, rng: random.Random) -> Callable[[], object]:
    return some(folder, rng, lambda _: b"")


def exchanged(folder: Path, rng: random.Random) -> Callable[[], object]:
    a, b, aside = *rng.sample(sorted(folder.rglob("*.jpg")), 2), folder.with_name("aside.jpg")

    def swap() -> None:
        for one, other in (a, aside), (b, a), (aside, b):
            one.rename(other)

    swap()
    return swap


DISTURBANCES = (away, person_away, cut, cut, emptied, exchanged)


@contextmanager
def disturbed(folder: Path, rng: random.Random, length: float) -> Iterator[None]:
    """Disturb the folder once, at a moment within a time, for a moment; it is whole again at the end."""

    def disturb() -> None:
        time.sleep(rng.random() * length)
        mend = rng.choice(DISTURBANCES)(folder, rng)
        time.sleep(rng.random() ** 3 * length)
        mend()

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        yield
    finally:
        thread.join()


@pytest.mark.slow
@pytest.mark.usefixtures("stand_ins")
def test_a_disturbance_at_any_moment_leaves_nothing_wrong_behind(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = RunSpec(
        dataset=f"folder:{photos}",
        encoders=("synth-ir",),
        defenses=("none", "noise"),
        attackers=("dbscan",),
        users=2,
        photos=EACH,
        background=2,
        device="cpu",
    )

    def run(home: Path) -> RunResult:
        monkeypatch.setenv("BENCH_HOME", str(home))
        return execute(spec)

    run(tmp_path / "warm up")
    began = time.monotonic()
    undisturbed = run(tmp_path / "undisturbed")
    length = time.monotonic() - began
    right, stored = {r.cell: r.comparable() for r in undisturbed.records}, read_home(tmp_path / "undisturbed")
    assert [record.status for record in undisturbed.records] == ["ok", "ok"]
    rng, ended = random.Random(0), []
    for moment in range(MOMENTS):
        home = tmp_path / "disturbed"
        with disturbed(photos, rng, length):
            try:
                for record in run(home).records:
                    # a run that began with other photos has another revision, and cells of its own
                    assert record.status == "ok"
                    assert right.get(record.cell, record.comparable()) == record.comparable()
            except UserError as error:
                assert "\n" not in str(error)
                ended.append(str(error))
        if moment % TOGETHER == TOGETHER - 1:
            assert read_home(home).other_than(stored) == []
            assert {r.cell: r.comparable() for r in run(home).records} == right
            shutil.rmtree(home)
    # the moments meant something: some ended the run, and others passed or came too late
    assert 0 < len(ended) < MOMENTS
    assert any("no longer the file that it was" in line or "No such file" in line for line in ended)
