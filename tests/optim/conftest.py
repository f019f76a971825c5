"""Drawn people and a built-in encoder: what a defense written by a user would meet."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from bench.datasets._synthetic.render import render

from bench import encoders
from bench.optim.engine import CloakingEngine
from bench.protocols import Encoder, Kit
from bench.types import Album, Budget, Face, Folders

MakeKit = Callable[..., Kit]
Draw = Callable[..., Album]


def drawn(person: int, photos: int, *, same_size: bool = False) -> Album:
    """Photos of one invented person; every second stands in a larger photo, off the middle."""
    pictures, points = render([person] * photos, list(range(photos)))
    images, faces = [], []
    for i, (picture, five) in enumerate(zip(pictures, points, strict=True)):
        shift = (0, 0) if i % 2 == 0 or same_size else (30, 70)
        more = 0 if same_size else 10 * i
        image = np.pad(picture, ((shift[0], more), (shift[1], more // 2), (0, 0)), mode="edge")
        corners = five + np.array([shift[1], shift[0]])
        low, high = corners.min(0) - 28, corners.max(0) + 25
        landmarks = tuple((float(x), float(y)) for x, y in corners)
        faces.append(Face((float(low[0]), float(low[1]), float(high[0]), float(high[1])), landmarks, 0.99))
        images.append(np.ascontiguousarray(image))
    return Album(tuple(images), tuple(faces), tuple(f"{person}-{i}" for i in range(photos)))


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """A built-in encoder."""
    return encoders.load("synth-ir", Folders(home=""), "cpu")


@pytest.fixture(scope="session")
def draw() -> Draw:
    """Photos of one invented person: `drawn`."""
    return drawn


@pytest.fixture(scope="session")
def users() -> list[Album]:
    """Two people with three and two photos of differing sizes."""
    return [drawn(3, 3), drawn(8, 2)]


@pytest.fixture(scope="session")
def reference() -> Album:
    """One photo each of four other people."""
    albums = [drawn(person, 1) for person in range(20, 24)]
    images, faces, digests = zip(*((a.photos[0], a.faces[0], a.digests[0]) for a in albums), strict=True)
    return Album(images, faces, digests)


@pytest.fixture(scope="session")
def kit(encoder: Encoder, reference: Album) -> MakeKit:
    """A kit with a budget, a seed, and an engine that takes four photos at a time."""
    engine = CloakingEngine("cpu", precision="fp32", batch=4)

    def make(budget: str = "linf:8", seed: int = 0) -> Kit:
        return Kit(Budget.parse(budget), seed, (encoder,), reference, engine, "cpu")

    return make
