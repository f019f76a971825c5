"""Photos that go away, are cut or are exchanged for a moment while a run reads them.

Files and disturbances are real. The networks are stand-ins, quick and a function of the pixels alone.
"""

from __future__ import annotations

import os
import random
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import PIL.Image
import torch

from bench.encoders.networks import embed
from bench.errors import UserError
from bench.experiment.session import RunResult, execute
from bench.plan.spec import RunSpec
from bench.types import Face, Image
from injecting.homes import read_home
from injecting.injection import Injection, Outcome, draws

PEOPLE, EACH = 12, 4
TOGETHER = 2
"""Disturbed runs that share a home, before an undisturbed one there."""

PAUSES = (0.005, 0.01, 0.02, 0.04)
"""Seconds between tries, as long as the disturbances: some pass, others do not."""


class StandInDetector:
    """The whole photo is the face, but for dark photos, which have none."""

    def __init__(self, device: str, **_: object) -> None:
        del device

    def detect(self, photos: Sequence[Image], boxes: object) -> list[Face | None]:
        """As `bench.faces.detect.Detector`."""
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
        """As any encoder."""

        def run(crop: torch.Tensor) -> torch.Tensor:
            places = torch.nn.functional.adaptive_avg_pool2d(crop, (6, 7)).flatten(1)
            return torch.nn.functional.pad(places - places.mean(), (0, 2))

        return embed(run, crops, "stand-in", self.card.dimensions)


@contextmanager
def stand_ins() -> Iterator[None]:
    """Networks and pauses that are quick."""
    with (
        patch("bench.faces.detect.Detector", StandInDetector),
        patch("bench.encoders.load", StandInEncoder),
        patch("bench.faces.finder.CHUNK", {"cpu": 4}),
        patch("bench.errors.PAUSES", PAUSES),
    ):
        yield


def photos(folder: Path) -> None:
    """Make a folder of people, each with photos that look alike."""
    rng = np.random.Generator(np.random.Philox(9))
    for person in range(PEOPLE):
        looks = rng.integers(90, 200, (6, 7, 3))
        for i in range(EACH):
            pixels = np.kron(looks + rng.integers(-20, 20, looks.shape), np.ones((12, 12, 1)))
            path = folder / f"person {person}" / f"{i}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            PIL.Image.fromarray(pixels.astype(np.uint8)).save(path, quality=90)


def away(folder: Path, rng: random.Random) -> Callable[[], object]:
    """A folder goes away."""
    aside = folder.with_name("aside")
    folder.rename(aside)
    return lambda: aside.rename(folder)


def person_away(folder: Path, rng: random.Random) -> Callable[[], object]:
    """The folder of one person goes away."""
    return away(rng.choice(sorted(folder.iterdir())), rng)


def some(folder: Path, rng: random.Random, change: Callable[[bytes], bytes]) -> Callable[[], object]:
    """Some files, or all, get another content."""
    files = sorted(folder.rglob("*.jpg"))
    before = {path: path.read_bytes() for path in rng.sample(files, rng.choice([1, 4, len(files)]))}
    for path, content in before.items():
        path.write_bytes(change(content))
    return lambda: [path.write_bytes(content) for path, content in before.items()]


def cut(folder: Path, rng: random.Random) -> Callable[[], object]:
    """Files are cut."""
    return some(folder, rng, lambda content: content[: rng.randrange(len(content))])


def emptied(folder: Path, rng: random.Random) -> Callable[[], object]:
    """Files are emptied."""
    return some(folder, rng, lambda _: b"")


def exchanged(folder: Path, rng: random.Random) -> Callable[[], object]:
    """Two files change places."""
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


def run(folder: Path, home: Path) -> RunResult:
    """Two cells over the photos of a folder."""
    spec = RunSpec(
        dataset=f"folder:{folder}",
        encoders=("synth-ir",),
        defenses=("none", "noise"),
        attackers=("dbscan",),
        users=2,
        photos=EACH,
        background=2,
        device="cpu",
    )
    with patch.dict(os.environ, {"BENCH_HOME": str(home)}):
        return execute(spec)


def disturb(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Run with a disturbance at a random moment, and look at what came of it and at what was stored."""
    counts: Counter[Outcome] = Counter()
    collection, home = folder / "photos", folder / "disturbed"
    photos(collection)
    with stand_ins():
        run(collection, folder / "warm up")
        began = time.monotonic()
        undisturbed = run(collection, folder / "undisturbed")
        length = time.monotonic() - began
        right = {record.cell: record.comparable() for record in undisturbed.records}
        stored = read_home(folder / "undisturbed")
        for number, rng in enumerate(draws(times, seed)):
            with disturbed(collection, rng, length):
                outcome = _outcome(collection, home, right)
            written = (home / "cache" / "rows.sqlite").exists()
            if outcome.right and written and read_home(home).other_than(stored):
                outcome = Outcome("stored something for the wrong content", False)
            if number % TOGETHER == TOGETHER - 1 or number == times - 1:
                outcome = _later(collection, home, right) or outcome
                shutil.rmtree(home)
            counts[outcome] += 1
    return counts


def _later(collection: Path, home: Path, right: dict[str, Any]) -> Outcome | None:
    """What is wrong with an undisturbed run after disturbed ones; None if nothing is."""
    try:
        again = {record.cell: record.comparable() for record in run(collection, home).records}
    except Exception as error:  # noqa: BLE001 - whatever it is, it is wrong
        return Outcome(f"a later run ended with {type(error).__name__}", False)
    return None if again == right else Outcome("a later run has other records", False)


def _outcome(collection: Path, home: Path, right: dict[str, Any]) -> Outcome:
    try:
        records = run(collection, home).records
    except UserError as error:
        one_line = "\n" not in str(error)
        return Outcome("ended with one line" if one_line else "ended with several lines", one_line)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is wrong
        return Outcome(f"ended with {type(error).__name__}", False)
    if any(record.status != "ok" for record in records):
        return Outcome("a cell failed", False)
    # a run that began with other photos has another revision, and cells of its own
    same = all(right.get(record.cell, record.comparable()) == record.comparable() for record in records)
    return Outcome("went to its end" if same else "went to its end with other numbers", same)


PHOTOS_THAT_CHANGE = Injection(
    "photos-that-change",
    "at a random moment of a run and for a moment, the folder of all photos or of one person goes away, or "
    "photos are cut, emptied or exchanged",
    "the run ends with one line, or has the records of an undisturbed run; nothing is stored that such a run "
    "stores otherwise, and the next run has the right records",
    60,
    disturb,
)
INJECTIONS = (PHOTOS_THAT_CHANGE,)
