"""Nearest neighbours: worked rankings on a circle, ties, and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import registry
from bench.errors import UserError
from bench.types import Gallery

Knn = registry.load("attackers", "knn")


def on_circle(*degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


# Person 3 has one photo very near the probe at 0 and one far off, person 1 has two fairly near.
GALLERY = Gallery(on_circle(1, 100, 10, 12), np.array([3, 3, 1, 1]))


def test_with_one_neighbour_the_best_photo_decides() -> None:
    assert Knn(k=1).rank(on_circle(0), GALLERY, 2).tolist() == [[3, 1]]


def test_with_two_neighbours_their_mean_decides() -> None:
    assert Knn(k=2).rank(on_circle(0), GALLERY, 2).tolist() == [[1, 3]]


def test_people_with_fewer_photos_than_k_count_with_what_they_have() -> None:
    gallery = Gallery(on_circle(5, 1, 30, 31), np.array([4, 2, 2, 2]))
    assert Knn(k=3).rank(on_circle(0), gallery, 2).tolist() == [[4, 2]]


def test_ties_go_to_the_lower_number() -> None:
    gallery = Gallery(on_circle(20, 20, 20), np.array([9, 2, 5]))
    assert Knn().rank(on_circle(0), gallery, 3).tolist() == [[2, 5, 9]]


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 5), st.integers(1, 8))
def test_the_ranking_is_the_definitions(seed: int, photos: int, k: int, top: int) -> None:
    rng = np.random.default_rng(seed)
    rows, owners = rng.normal(size=(photos, 8)), rng.integers(0, 6, photos)
    probes = rng.normal(size=(4, 8))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    ranked = Knn(k=k).rank(probes.astype(np.float32), Gallery(rows.astype(np.float32), owners), top)
    for probe, row in zip(probes, ranked, strict=True):
        alike = unit @ probe
        score = {int(p): np.sort(alike[owners == p])[-k:].mean() for p in np.unique(owners)}
        expected = sorted(score, key=lambda p: -score[p])[:top]
        assert row.tolist() == expected + [-1] * (top - len(expected))


def test_nonsense_is_refused() -> None:
    with pytest.raises(UserError, match="k 0 is below 1"):
        Knn(k=0).check()
    with pytest.raises(ValueError, match="top must be at least 1"):
        Knn().rank(on_circle(0), GALLERY, 0)
    with pytest.raises(ValueError, match="probes have 3 dimensions, the gallery 2"):
        Knn().rank(np.ones((1, 3), np.float32), GALLERY, 1)
    with pytest.raises(ValueError, match="the gallery names 3 people on 4 photos"):
        Knn().rank(on_circle(0), Gallery(GALLERY.embeddings, np.array([1, 2, 3])), 1)
