"""LibrePhotos and PictoPy: clusters, and then who joins them; Chinese Whispers of dlib's presets."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from bench.attackers._graph.condensed import hdbscan_labels
from bench.attackers._graph.spanning import Tree
from bench.attackers._presets.families import DLIB_LENGTH
from bench.attackers._presets.pseudo_people import named_by_network
from bench.attackers.librephotos import smallest_cluster
from planted import known_people, on_a_circle, singles_apart, tens
from sklearn.metrics import adjusted_rand_score
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from bench import registry

Librephotos = registry.load("attackers", "librephotos")
Pictopy = registry.load("attackers", "pictopy")


# --- LibrePhotos


def by_removing_edges(tree: Tree, photos: int, least: int, epsilon: float) -> np.ndarray:
    """HDBSCAN as it reads, from the longest edge on: excess of mass, then the search for epsilon."""
    edges = sorted(zip(*(part.tolist() for part in tree), strict=True), key=lambda edge: edge[2])
    born: list[float] = []  # for each cluster the length of the edge at which it splits off
    parent: list[int] = []
    photos_of: list[set[int]] = []
    stability: list[float] = []
    chosen: list[bool] = []

    def reached(part: list[Any], start: int) -> set[int]:
        seen, before = {start}, 0
        while before < len(seen):
            before = len(seen)
            for a, b, _ in part:
                if (a in seen) != (b in seen):
                    seen |= {a, b}
        return seen

    def read(part: list[Any], whole: set[int], birth: float, above: int) -> float:
        """Read a cluster, and return the stability of what is chosen in it."""
        number = len(born)
        born.append(birth)
        parent.append(above)
        photos_of.append(whole)
        chosen.append(above >= 0)
        stability.append(0.0)
        remaining, inside = list(part), set(whole)
        while remaining:
            a, b, length = remaining.pop()
            sides = [reached(remaining, a), reached(remaining, b)]
            large = [one for one in sides if len(one) >= least]
            gone = len(inside) if len(large) != 1 else len(inside) - len(large[0])
            stability[number] += gone * (1 / length - (1 / birth if np.isfinite(birth) else 0))
            if len(large) == 2:
                inner = [read([e for e in remaining if e[0] in one], one, length, number) for one in large]
                if above < 0 or sum(inner) > stability[number]:
                    chosen[number] = False
                    return sum(inner)
                for other in range(number + 1, len(chosen)):
                    chosen[other] = False
                return stability[number]
            if not large:
                break
            inside = large[0]
            remaining = [e for e in remaining if e[0] in inside]
        return stability[number]

    read(edges, set(range(photos)), np.inf, -1)
    out = np.full(photos, -1)
    for number in np.flatnonzero(chosen).tolist():
        while born[number] < epsilon and parent[parent[number]] >= 0:
            number = parent[number]
        out[list(photos_of[number])] = number
    return out


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("least", "epsilon"), [(2, 0.0), (2, 0.3), (3, 0.5), (3, 0.8), (2, 5.0)])
def test_clusters_that_split_below_the_selection_epsilon_are_taken_together(
    seed: int, least: int, epsilon: float
) -> None:
    # scikit-learn's search for epsilon fails beside numpy 2.4, so that the definition is followed here
    rng = np.random.default_rng(seed)
    photos = int(rng.integers(6, 40))
    left = np.array([rng.integers(0, i) for i in range(1, photos)])
    tree = Tree(left, np.arange(1, photos), rng.gamma(2.0, 0.3, photos - 1).astype(np.float32))
    ours = hdbscan_labels(tree, photos, least, leaf=False, epsilon=epsilon)
    expected = by_removing_edges(tree, photos, least, epsilon)
    assert np.array_equal(ours == -1, expected == -1)
    assert adjusted_rand_score(singles_apart(ours), singles_apart(expected)) == 1


def test_an_epsilon_joins_what_splits_below_it() -> None:
    # two pairs 6 degrees (.105) apart, within 1 degree each, and two far away
    rows = on_a_circle(0, 1, 7, 8, 100, 101, 180, 181.5)
    wide = Librephotos(epsilon=0.2 * DLIB_LENGTH, accept=0.99).cluster(rows)
    narrow = Librephotos(epsilon=0.0, accept=0.99).cluster(rows)
    assert wide[0] == wide[2] >= 0
    assert narrow[0] != narrow[2]


@pytest.mark.parametrize(
    ("photos", "size"), [(1, 2), (1000, 2), (1001, 4), (10_000, 4), (10_001, 8), (100_000, 8), (100_001, 16)]
)
def test_the_smallest_cluster_grows_with_the_collection(photos: int, size: int) -> None:
    assert smallest_cluster(photos) == size


def test_a_leftover_joins_the_person_of_whom_the_network_is_sure() -> None:
    rng = np.random.default_rng(0)
    centres = np.eye(8, 32)
    rows = np.repeat(centres, 5, axis=0) + 0.02 * rng.normal(size=(40, 32))
    like_the_third = centres[2] + 0.25 * rng.normal(size=32) / 32**0.5
    like_nobody = np.ones(32)
    rows = np.vstack([rows, like_the_third, like_nobody]).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    labels = np.append(np.repeat(np.arange(8), 5), [-1, -1])
    joined = named_by_network(rows, labels, 0.5)
    assert joined[:40].tolist() == labels[:40].tolist()
    assert joined[40:].tolist() == [2, -1]
    assert named_by_network(rows, labels, 0.9999).tolist() == labels.tolist()


def test_the_networks_answers_do_not_depend_on_the_number_of_threads() -> None:
    rows = tens(256, 0.9, photos=900)
    labels = np.where(np.arange(900) % 3 == 2, -1, np.arange(900) // 3)
    answers = []
    for threads in (1, 4):
        with threadpool_limits(limits=threads):
            answers.append(named_by_network(rows, labels, 0.3).tolist())
    assert answers[0] == answers[1]
    assert max(labels[labels >= 0]) > 250 and answers[0] != labels.tolist()


def test_the_network_is_made_as_the_product_makes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # api/face_classify.py of 2024-10-24; the hidden layer is the library's default
    made: list[dict[str, Any]] = []

    def watched(**given: Any) -> MLPClassifier:
        made.append(given)
        return MLPClassifier(**given)

    monkeypatch.setattr("sklearn.neural_network.MLPClassifier", watched)
    named_by_network(on_a_circle(0, 90, 10), np.array([0, 1, -1]), 0.5)
    assert made == [{"solver": "adam", "alpha": 1e-5, "random_state": 1, "max_iter": 1000}]
    assert MLPClassifier().hidden_layer_sizes == (100,)


def test_with_one_cluster_there_is_nothing_to_learn() -> None:
    rows = on_a_circle(0, 1, 2, 90)
    labels = np.array([0, 0, 0, -1])
    assert named_by_network(rows, labels, 0.5).tolist() == [0, 0, 0, -1]


def test_beyond_so_many_clusters_leftovers_stay_noise() -> None:
    rows = tens(16, 0.5)
    few, all_of_them = Librephotos(clusters=3), Librephotos()
    assert (few.cluster(rows) == -1).sum() >= (all_of_them.cluster(rows) == -1).sum()
    assert few.cluster(rows).max() == all_of_them.cluster(rows).max()


# --- PictoPy


def test_the_distance_is_that_of_nine_photos_of_ten_to_their_second_neighbour_and_at_most_the_cap() -> None:
    # ten photos 2 degrees apart: the second neighbour is 2 degrees off, at the ends 4
    row = on_a_circle(*range(0, 20, 2))
    alike = 1 - np.cos(np.radians([2] * 8 + [4] * 2))
    assert Pictopy().neighbour_distance(row) == pytest.approx(np.percentile(alike, 90), abs=1e-6)
    assert Pictopy().neighbour_distance(on_a_circle(0, 60, 120, 180)) == 0.35


def test_clusters_with_like_means_are_merged_and_others_not() -> None:
    # pairs at 0, 40 and 100 degrees: cos 40 = .77, cos 60 = .5
    rows = on_a_circle(0, 1, 40, 41, 100, 101)
    labels = np.array([0, 0, 1, 1, 2, 2])
    assert Pictopy().merged(rows, labels).tolist() == [0, 0, 0, 0, 1, 1]
    assert Pictopy(merge=0.8).merged(rows, labels).tolist() == labels.tolist()


def test_a_cluster_that_was_taken_over_takes_none_itself() -> None:
    # 0 takes 40; 80 is like 40, but 40 is gone, and unlike 0
    rows = on_a_circle(0, 0.5, 40, 40.5, 80, 80.5)
    assert Pictopy().merged(rows, np.array([0, 0, 1, 1, 2, 2])).tolist() == [0, 0, 0, 0, 1, 1]


def test_a_leftover_joins_the_nearest_mean_from_the_cosine_that_is_accepted() -> None:
    # cos 36.8 = .8007, cos 37 = .7986
    rows = on_a_circle(0, 0, 90, 90, 36.8, -37)
    labels = np.array([0, 0, 1, 1, -1, -1])
    assert Pictopy().assigned(rows, labels).tolist() == [0, 0, 1, 1, 0, -1]
    assert Pictopy().assigned(rows, np.full(6, -1)).tolist() == [-1] * 6


def test_people_are_found_in_three_steps() -> None:
    # Two fours 20 degrees apart, their means at cos 20 = .94; one photo 30 degrees from the middle of both
    # (cos .87), farther than any second neighbour but the ninth of ten; and one that is like nobody.
    rows = on_a_circle(*[0, 1, 2, 3] * 3, *[20, 21, 22, 23] * 3, 41.5, 200)
    assert Pictopy().neighbour_distance(rows) < 1 - np.cos(np.radians(17))
    assert Pictopy().cluster(rows).tolist() == [0] * 25 + [-1]


# --- Chinese Whispers at dlib's distances


def test_four_photos_are_nobody_to_face_recognition_and_somebody_to_dlib() -> None:
    # .4 / 1.42 is 16.2 degrees, .5 / 1.42 is 20.3
    rows = on_a_circle(0, 1, 2, 3, 100, 101, 102, 103, 104)
    assert registry.load("attackers", "facerecognition")().cluster(rows).tolist() == [-1] * 4 + [0] * 5
    assert registry.load("attackers", "dlib-whispers")().cluster(rows).tolist() == [0] * 4 + [1] * 5


def test_photos_between_the_two_distances_are_together_for_dlib_alone() -> None:
    rows = on_a_circle(0, 0, 0, 18, 18, 18)
    dlib = registry.load("attackers", "dlib-whispers")(least=2)
    narrow = registry.load("attackers", "facerecognition")(least=2)
    assert dlib.cluster(rows).tolist() == [0] * 6
    assert narrow.cluster(rows).tolist() == [0] * 3 + [1] * 3


@pytest.mark.skipif(find_spec("dlib") is None, reason="needs dlib: pip install 'cloakbench[dlib]'")
@pytest.mark.parametrize(("spread", "same"), [(0.2, 1.0), (0.26, 0.9)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_people_are_those_of_dlibs_own_clustering(spread: float, same: float, seed: int) -> None:
    import dlib

    # at the wider spread people fall apart, and which of their photos do is the order's, in both
    rows, owners = known_people(30, 8, spread, seed=seed, dimensions=128)
    theirs = dlib.chinese_whispers_clustering([dlib.vector(row) for row in rows * DLIB_LENGTH], 0.5)
    ours = registry.load("attackers", "dlib-whispers")().cluster(rows)
    assert adjusted_rand_score(singles_apart(ours), theirs) >= same
    assert (adjusted_rand_score(theirs, owners) == 1) == (same == 1)
