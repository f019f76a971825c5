"""Presets of deployed systems: their parameters, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from bench.attackers._graph.neighbours import Graph
from bench.attackers.immich import _recognised
from sklearn.cluster import DBSCAN

from bench import registry
from bench.metrics.clustering import bcubed_objective

Immich = registry.load("attackers", "immich")
Photoprism = registry.load("attackers", "photoprism")


def crowd(spread: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    owners = rng.permutation(np.arange(200) % 20)
    rows = rng.normal(size=(20, 32))[owners] + spread * rng.normal(size=(200, 32))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), owners


def on_a_line(*places: float) -> Graph:
    """Faces at places on a line, those within 1 of each other near."""
    pairs = [(i, j) for i in range(len(places)) for j in range(i + 1, len(places))]
    near = [(i, j) for i, j in pairs if abs(places[i] - places[j]) <= 1]
    left, right = np.array(near, np.int32).reshape(-1, 2).T
    distance = [abs(places[i] - places[j]) for i, j in near]
    return Graph(len(places), left, right, np.array(distance, np.float32))


def test_the_parameters_are_those_that_the_products_are_shipped_with() -> None:
    assert (Immich().max_distance, Immich().min_faces) == (0.5, 3)
    assert (Photoprism().radius, Photoprism().core) == (0.64, 4)


@pytest.mark.parametrize("name", ["immich", "photoprism"])
def test_nothing_is_tuned(name: str) -> None:
    rows, owners = crowd(0.5)
    preset = registry.load("attackers", name)()
    assert preset.calibrated(rows, owners, bcubed_objective) is preset


@pytest.mark.parametrize("spread", [0.2, 0.4, 0.5])
def test_photoprisms_partition_is_scikit_learns_dbscan_over_euclidean_distance(spread: float) -> None:
    rows, _ = crowd(spread)
    expected = DBSCAN(eps=0.64, min_samples=4).fit_predict(rows.astype(np.float64))
    ours = Photoprism().cluster(rows)
    assert np.array_equal(ours == -1, expected == -1)
    assert len(set(zip(ours.tolist(), expected.tolist(), strict=True))) == np.unique(expected).size


def test_immich_makes_a_person_of_three_faces_and_of_two_none() -> None:
    assert _recognised(on_a_line(0, 0.1, 0.2), 3).tolist() == [0, 0, 0]
    assert _recognised(on_a_line(0, 0.1, 5), 3).tolist() == [-1, -1, -1]


def test_immich_lets_a_face_that_is_no_core_wait_and_join_the_nearest_person() -> None:
    # The face at 1.15 comes first, and is near one core only: it waits, then joins that one's person.
    assert _recognised(on_a_line(1.15, 0, 0.1, 0.2), 3).tolist() == [0, 0, 0, 0]


def test_immich_never_merges_two_people_whatever_comes_between_them() -> None:
    # Two threes that are out of each other's reach are people 0 and 1 by the time that the faces between them
    # come; each of those joins the nearest, and a chain of near faces leads from one person to the other.
    places = [0, 0.1, 0.2, 3, 3.1, 3.2, 1.1, 2.1]
    assert _recognised(on_a_line(*places), 3).tolist() == [0, 0, 0, 1, 1, 1, 0, 1]
    # The same faces in the order of the line are one person.
    assert _recognised(on_a_line(*sorted(places)), 3).tolist() == [0] * 8


def test_the_order_of_upload_is_the_seeds_not_the_listings() -> None:
    rows, _ = crowd(1.0)
    order = np.random.default_rng(0).permutation(200)
    back = np.empty(200, np.int64)
    back[order] = Immich().cluster(rows[order])
    same = Immich().cluster(rows)
    assert len(set(zip(back.tolist(), same.tolist(), strict=True))) == np.unique(same).size
