"""Planted embeddings: photos whose right clusters or names are known, as tests of attackers take them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.float32]
Whole = npt.NDArray[np.int64]


def on_a_circle(*degrees: float) -> Rows:
    """Unit vectors in a plane; those `a` degrees apart have the cosine cos(a)."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def tens(dimensions: int, spread: float, photos: int = 400) -> Rows:
    """Unit vectors of people with ten photos each, mixed.

    Args:
        dimensions: Of a vector; the seed, too.
        spread: How much photos of a person differ, as a multiple of how much people do.
        photos: How many in all.
    """
    rng = np.random.default_rng(dimensions)
    owners = rng.permutation(np.arange(photos) % (photos // 10))
    return _drawn(rng, owners, dimensions, spread)


def known_people(
    people: int, photos: int, spread: float, seed: int = 0, dimensions: int = 24
) -> tuple[Rows, Whole]:
    """Unit vectors of people with `photos` photos each, mixed, and who is on each."""
    rng = np.random.default_rng(seed)
    owners = rng.permutation(np.repeat(np.arange(people), photos))
    return _drawn(rng, owners, dimensions, spread), owners


def singles_apart(labels: Whole) -> Whole:
    """Clusters in which each photo that is noise (-1) has a name of its own."""
    return np.where(labels < 0, labels.size + np.arange(labels.size), labels)


def _drawn(rng: np.random.Generator, owners: Whole, dimensions: int, spread: float) -> Rows:
    people = int(owners.max()) + 1
    rows = rng.normal(size=(people, dimensions))[owners]
    rows = rows + spread * rng.normal(size=(owners.size, dimensions))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)
