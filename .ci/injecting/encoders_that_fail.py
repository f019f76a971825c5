"""Encoders that give no embedding of some photos, in the middle of a run."""

from __future__ import annotations

import math
import random
from collections import Counter
from pathlib import Path

import torch
from bench.datasets._synthetic.render import render

from bench.encoders.faults import EncoderFault
from bench.encoders.networks import embed
from bench.machine.progress import Silent
from bench.photos.collection import Photos
from bench.recognition.observer import Observer
from bench.store.cache import Cache
from bench.types import ARCFACE_CROP, EncoderCard, Folders
from injecting.injection import Injection, Outcome, draws

PHOTOS = 10
"""Photos of each time; all of them have a face."""

SIZE = 8
"""Numbers in an embedding."""

KINDS = ("not a number", "infinite", "zero", "too few numbers", "too many rows", "an error")


class _OddError(Exception):
    """What the runtime of such an encoder raises."""


class Moody:
    """An encoder that fails in one way for the crops whose mean is among some."""

    def __init__(self, name: str, kind: str, bad: frozenset[float]) -> None:
        self.card = EncoderCard(name, "moody", "", ARCFACE_CROP, SIZE, 0, "", "", "", f"{name:0>64}")
        self.runtime = "torch"
        self._kind, self._bad = kind, bad
        self.means: list[float] = []

    def embed(self, crops: torch.Tensor) -> torch.Tensor:
        """Mean colours, or what is wrong."""
        self.means += [_mean(crop) for crop in crops]
        return embed(self._run, crops, self.card.name, SIZE, (_OddError,))

    def twin(self) -> torch.nn.Module:
        """None is needed."""
        return torch.nn.Identity()

    def _run(self, crops: torch.Tensor) -> torch.Tensor:
        rows = torch.nn.functional.adaptive_avg_pool2d(crops, (1, 3)).flatten(1)[:, :SIZE] + 0.1
        if _mean(crops[0]) not in self._bad:
            return rows
        if self._kind == "an error":
            raise _OddError("[ONNXRuntimeError] : 1 : FAIL : x.cc:3 a::b(c&)\nNo such size")
        odd = {"not a number": math.nan, "infinite": math.inf, "zero": 0.0}
        if self._kind in odd:
            place = slice(None) if self._kind == "zero" else slice(1, 2)
            rows[:, place] = odd[self._kind]
            return rows
        return rows[:, 1:] if self._kind == "too few numbers" else torch.cat([rows, rows])


def _mean(crop: torch.Tensor) -> float:
    return float(crop.double().mean())


def fail(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Look at photos through an encoder that fails for some of them, and through one that does not."""
    counts: Counter[Outcome] = Counter()
    cache = Cache(folder)
    pictures, _ = render(list(range(PHOTOS)), [0] * PHOTOS)
    photos = Photos(tuple(f"{i:064x}" for i in range(PHOTOS)), lambda wanted: [pictures[i] for i in wanted])
    observer = Observer.on("cpu", Folders(str(folder)), cache, Silent())
    first = Moody("first", "", frozenset())
    observer.pool.add(first)
    observer.observe(photos, [first.card], "photos")
    means = first.means
    for number, rng in enumerate(draws(times, seed)):
        counts[_one(observer, photos, means, number, rng)] += 1
    cache.close()
    return counts


def _one(observer: Observer, photos: Photos, means: list[float], number: int, rng: random.Random) -> Outcome:
    kind = rng.choice(KINDS)
    bad = sorted(rng.sample(range(PHOTOS), rng.randint(1, 3)))
    moody = Moody(f"moody-{number}", kind, frozenset(means[i] for i in bad))
    steady = Moody(f"steady-{number}", "", frozenset())
    for encoder in (moody, steady):
        observer.pool.add(encoder)
    cards = [moody.card, steady.card]
    rng.shuffle(cards)
    try:
        observer.observe(photos, cards, "photos")
    except EncoderFault as fault:
        line = str(fault)
        named = photos.digests[bad[0]] in line and moody.card.name in line and "\n" not in line
        asked = len(steady.means)
        kept = observer.observe(photos, [steady.card], "photos").embeddings[steady.card.name].has_face.all()
        if named and kept and len(steady.means) == asked == PHOTOS:
            return Outcome("one line names encoder and photo, the other encoder's results are kept", True)
        return Outcome(f"{kind}: {line}" if not named else "the other encoder's results are lost", False)
    return Outcome(f"{kind}: taken for an embedding", False)


INJECTIONS = [
    Injection(
        "encoders-that-fail",
        "an encoder gives one to three photos of ten a number that is none, zeros, a row of another length, "
        "several rows or an error, beside an encoder that works",
        "one line names the encoder and the first of the photos, and the other encoder's results are kept",
        1000,
        fail,
    )
]
