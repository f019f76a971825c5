"""Nearest centroid: worked means on a circle, and scikit-learn's classifier."""

from __future__ import annotations

import numpy as np
from sklearn.neighbors import NearestCentroid

from bench import registry
from bench.types import Gallery

Centroid = registry.load("attackers", "centroid")
Knn = registry.load("attackers", "knn")


def on_circle(*degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


# Person 3's photos at 1 and 99 have their mean at 50, person 1's at 10 and 12 have it at 11.
GALLERY = Gallery(on_circle(1, 99, 10, 12), np.array([3, 3, 1, 1]))


def test_the_mean_decides_and_not_the_nearest_photo() -> None:
    assert Centroid().rank(on_circle(0, 40), GALLERY, 2).tolist() == [[1, 3], [3, 1]]
    assert Knn().rank(on_circle(0), GALLERY, 2).tolist() == [[3, 1]]


def test_only_the_direction_of_a_mean_counts() -> None:
    # The mean of 1 and 99 degrees has length cos 49 = .66: by the plain product 50 would be nearer to 11.
    # .66 cos 0 < cos 39 = .78, and yet 3 is first.
    assert Centroid().rank(on_circle(50), GALLERY, 1).tolist() == [[3]]


def test_photos_that_cancel_out_are_like_nobody() -> None:
    gallery = Gallery(on_circle(0, 180, 60), np.array([0, 0, 1]))
    # The cosine with person 1 is cos 60 = .5 at 0 degrees and -.5 at 180; with person 0 it is 0 everywhere.
    assert Centroid().rank(on_circle(0, 180), gallery, 2).tolist() == [[1, 0], [0, 1]]


def test_a_probe_at_the_threshold_is_rejected_and_one_above_is_not() -> None:
    gallery = Gallery(on_circle(0, 180), np.array([0, 1]))
    attacker = Centroid(open_set=True, threshold=float(np.cos(np.radians(30))))
    assert attacker.rank(on_circle(29, 31, 152), gallery, 2).tolist() == [[0, 1], [-1, -1], [1, 0]]


def test_it_names_whom_scikit_learn_names() -> None:
    # scikit-learn takes Euclidean distance to plain means; with unit means in their stead it is the same.
    rng = np.random.default_rng(0)
    owners = rng.permutation(np.repeat(np.arange(12), 5))
    rows = (rng.normal(size=(12, 16))[owners] + rng.normal(size=(60, 16))).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    theirs = NearestCentroid().fit(rows[:40], owners[:40])
    theirs.centroids_ /= np.linalg.norm(theirs.centroids_, axis=1, keepdims=True)
    ours = Centroid().rank(rows[40:], Gallery(rows[:40], owners[:40]), 1)[:, 0]
    assert np.array_equal(ours, theirs.predict(rows[40:]))
