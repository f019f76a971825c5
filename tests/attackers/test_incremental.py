"""Faces that come one after another: Immich's queue, its guide, and Ente."""

from __future__ import annotations

import numpy as np
from bench.attackers._graph.incremental import linear_labels, recognised_labels
from bench.attackers._graph.neighbours import Graph
from planted import on_a_circle

from bench import registry

Immich = registry.load("attackers", "immich")
Ente = registry.load("attackers", "ente")


def on_a_line(*places: float) -> Graph:
    """Faces at places on a line, those within 1 of each other near."""
    pairs = [(i, j) for i in range(len(places)) for j in range(i + 1, len(places))]
    near = [(i, j) for i, j in pairs if abs(places[i] - places[j]) <= 1]
    left, right = np.array(near, np.int32).reshape(-1, 2).T
    distance = [abs(places[i] - places[j]) for i, j in near]
    return Graph(len(places), left, right, np.array(distance, np.float32))


def groups(labels: np.ndarray) -> list[list[int]]:
    """The photos of each cluster, in the order of their first photos; noise is left out."""
    return [np.flatnonzero(labels == c).tolist() for c in range(int(labels.max()) + 1)]


def test_immich_makes_a_person_of_three_faces_and_of_two_none() -> None:
    assert recognised_labels(on_a_line(0, 0.1, 0.2), [3]).tolist() == [0, 0, 0]
    assert recognised_labels(on_a_line(0, 0.1, 5), [3]).tolist() == [-1, -1, -1]


def test_immich_lets_a_face_that_is_no_core_wait_and_join_the_nearest_person() -> None:
    # The face at 1.15 comes first, and is near one core only: it waits, then joins that one's person.
    assert recognised_labels(on_a_line(1.15, 0, 0.1, 0.2), [3]).tolist() == [0, 0, 0, 0]


def test_immich_never_merges_two_people_whatever_comes_between_them() -> None:
    # Two threes that are out of each other's reach are people 0 and 1 by the time that the faces between them
    # come; each of those joins the nearest, and a chain of near faces leads from one person to the other.
    places = [0, 0.1, 0.2, 3, 3.1, 3.2, 1.1, 2.1]
    assert recognised_labels(on_a_line(*places), [3]).tolist() == [0, 0, 0, 1, 1, 1, 0, 1]
    # The same faces in the order of the line are one person.
    assert recognised_labels(on_a_line(*sorted(places)), [3]).tolist() == [0] * 8


def test_asking_for_three_neighbours_and_once_for_a_person_is_asking_for_all() -> None:
    # The nearest face with a person is the eighth nearest of the last face: a second query finds it.
    near = [0.3 + step / 100 for step in range(7)]
    labels = recognised_labels(on_a_line(-0.6, -0.5, -0.4, *near, 0.0), [3])
    assert labels[-1] == labels[0] == 0


def test_the_guide_makes_people_of_dense_groups_before_a_bridge_can_join_them() -> None:
    # Two fives, and two faces between them. In one run, in the order of the line, each of the two is a core
    # and leads on. With five faces first, both fives are people before anybody between; the face at 1.2 joins
    # the left one, and that at 2.1 its nearest face with a person, which is the one at 1.2.
    line = [0, 0.05, 0.1, 0.15, 0.2, 1.2, 2.1, 3.1, 3.15, 3.2, 3.25, 3.3]
    assert recognised_labels(on_a_line(*line), [5, 3]).tolist() == [0] * 7 + [1] * 5
    assert recognised_labels(on_a_line(*line), [3]).tolist() == [0] * 12


def test_a_later_run_looks_at_faces_without_a_person_only() -> None:
    # Three faces are nobody to a run of four. A run of three makes them a person, the others keep theirs.
    places = [0, 0.1, 0.2, 0.3, 5, 5.1, 5.2]
    assert recognised_labels(on_a_line(*places), [4]).tolist() == [0] * 4 + [-1] * 3
    assert recognised_labels(on_a_line(*places), [4, 3]).tolist() == [0] * 4 + [1] * 3


def test_linear_clustering_joins_two_and_immich_needs_three() -> None:
    assert linear_labels(on_a_line(0, 0.9)).tolist() == [0, 0]
    assert recognised_labels(on_a_line(0, 0.9), [3]).tolist() == [-1, -1]


def test_linear_clustering_follows_a_chain_of_faces_each_near_the_one_before_alone() -> None:
    assert linear_labels(on_a_line(0, 0.9, 1.8, 2.7)).tolist() == [0, 0, 0, 0]
    # A face takes the cluster of the nearest earlier face, and the two clusters stay two.
    assert linear_labels(on_a_line(0, 1.8, 0.8)).tolist() == [0, -1, 0]
    assert linear_labels(on_a_line(0, 0.1, 1.8, 1.7, 0.8)).tolist() == [0, 0, 1, 1, 0]


def test_a_pair_is_a_person_to_ente_and_nobody_to_immich() -> None:
    # 40 degrees apart is a cosine distance of .234
    pair = on_a_circle(0, 40, 180)
    assert groups(Ente().cluster(pair)) == [[0, 1]]
    assert groups(Immich().cluster(pair)) == []
    assert groups(Ente().cluster(on_a_circle(0, 41, 180))) == []


def test_the_order_of_upload_is_the_seeds_not_the_listings() -> None:
    rng = np.random.default_rng(3)
    owners = rng.permutation(np.arange(200) % 20)
    rows = rng.normal(size=(20, 32))[owners] + rng.normal(size=(200, 32))
    order = np.random.default_rng(0).permutation(200)
    for name in ("immich", "immich-guided", "ente", "photoprism", "pictopy"):
        back = np.empty(200, np.int64)
        back[order] = registry.load("attackers", name)().cluster(rows[order])
        same = registry.load("attackers", name)().cluster(rows)
        assert len(set(zip(back.tolist(), same.tolist(), strict=True))) == np.unique(same).size
