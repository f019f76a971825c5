"""The learned clusterer: its features and its linkage by hand, its regression beside scikit-learn's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from bench.attackers._embeddings.rows import unit_rows
from bench.attackers._graph.neighbours import Graph
from bench.attackers._graph.searching import Searching
from bench.attackers._graph.sparse_average import sparse_average_linkage
from bench.attackers._pairs import features as of_pairs
from bench.attackers._pairs.features import AROUND, DENSITY, FEATURES, SHARED, Pairs
from bench.attackers._pairs.logistic import fitted_weights, probabilities
from bench.attackers.pairwise import half_of_people
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score

from bench import registry
from bench.errors import UserError
from bench.metrics.clustering import bcubed_objective, cluster_formation_rate

Pairwise = registry.load("attackers", "pairwise")


def crowd(photos: int, people: int, spread: float, seed: int, dimensions: int = 32) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    owners = rng.permutation(np.arange(photos) % people)
    rows = rng.normal(size=(people, dimensions))[owners] + spread * rng.normal(size=(photos, dimensions))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32), owners


# --- features


def mean_cosine(rows: np.ndarray, one: int, others: list[int]) -> float:
    return float(np.mean([rows[one] @ rows[other] for other in others])) if others else 0.0


def by_hand(rows: np.ndarray, lists: list[list[int]], a: int, b: int) -> list[float]:
    """The features of one pair, as their names say, photo by photo."""
    k = len(lists[a])
    ranks = [lists[x].index(y) + 1 if y in lists[x] else k + 1 for x, y in ((a, b), (b, a))]
    out = [float(rows[a] @ rows[b]), np.log(min(ranks)), np.log(max(ranks))]
    out += [len({a, *lists[a][:count]} & {b, *lists[b][:count]}) / (count + 1) for count in SHARED]
    for count in DENSITY:
        dense = [mean_cosine(rows, x, lists[x][:count]) for x in (a, b)]
        out += [min(dense), max(dense)]
    for count in AROUND:
        near = [mean_cosine(rows, x, [z for z in lists[y][:count] if z != x]) for x, y in ((a, b), (b, a))]
        means = [rows[lists[x][:count]].mean(axis=0) for x in (a, b)]
        out += [min(near), max(near), float(means[0] @ means[1])]
    return out


@pytest.mark.parametrize(("photos", "neighbours"), [(80, 30), (12, 30), (40, 4)])
def test_features_are_what_their_names_say(photos: int, neighbours: int) -> None:
    rows, _ = crowd(photos, 5, 0.8, seed=1)
    pairs = Pairs.of(rows, neighbours, Searching())
    order = np.argsort(-(rows @ rows.T) + 9 * np.eye(photos), axis=1)
    lists = [row[: min(neighbours, photos - 1)].tolist() for row in order]
    expected = {(min(a, b), max(a, b)) for a in range(photos) for b in lists[a]}
    assert set(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)) == expected
    ours = np.concatenate(list(pairs.features()))
    assert ours.shape == (len(expected), len(FEATURES))
    for number in range(0, len(expected), 7):
        a, b = int(pairs.left[number]), int(pairs.right[number])
        assert ours[number] == pytest.approx(by_hand(rows, lists, a, b), abs=1e-5)


def test_features_are_the_same_in_blocks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, _ = crowd(60, 6, 0.8, seed=2)
    pairs = Pairs.of(rows, 10, Searching())
    (whole,) = list(pairs.features())
    monkeypatch.setattr(of_pairs, "_AT_ONCE", 7)
    assert np.array_equal(np.concatenate(list(pairs.features())), whole)


# --- regression


def test_the_weights_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    features = rng.normal(size=(3000, 5)) * [1, 10, 0.1, 1, 3] + [0, 5, 0, 0, -1]
    features[:, 3] = 0.7  # says nothing
    same = rng.random(3000) < 1 / (1 + np.exp(2 - features[:, 0] - 0.2 * features[:, 1]))
    weights = fitted_weights(features, same)
    spread = np.where(features.std(axis=0) < 1e-12, 1, features.std(axis=0))
    inputs = np.column_stack([(features - features.mean(axis=0)) / spread, np.ones(3000)])
    theirs = LogisticRegression(C=1.0, fit_intercept=False, tol=1e-10, max_iter=1000).fit(inputs, same)
    expected = theirs.predict_proba(inputs)[:, 1]
    assert probabilities(features, weights) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("same", [[True, True, False, False], [True] * 4, [False] * 4])
def test_pairs_that_a_line_parts_and_pairs_of_one_kind_have_finite_weights(same: list[bool]) -> None:
    features = np.array([[0.9], [0.8], [0.1], [0.2]])
    likely = probabilities(features, fitted_weights(features, np.array(same)))
    assert np.isfinite(likely).all() and np.array_equal(likely > 0.5, same)


# --- linkage


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9])
def test_linkage_is_scipys_with_absent_pairs_at_distance_one(seed: int, cut: float) -> None:
    rng = np.random.default_rng(seed)
    dense = np.triu(rng.random((60, 60)) * (rng.random((60, 60)) < 0.15), 1)
    left, right = np.nonzero(dense)
    graph = Graph(
        60, left.astype(np.int32), right.astype(np.int32), (1 - dense[left, right]).astype(np.float32)
    )
    apart = 1 - (dense + dense.T)
    np.fill_diagonal(apart, 0)
    expected = fcluster(linkage(squareform(apart), "average"), cut + 1e-7, "distance")
    ours = sparse_average_linkage(graph, 0.95).cut(cut)
    assert np.array_equal(ours == -1, np.bincount(expected)[expected] == 1)
    assert adjusted_rand_score(np.where(ours < 0, 100 + np.arange(60), ours), expected) == 1


def test_linkage_of_no_pairs_is_noise() -> None:
    none = np.empty(0, np.int32)
    assert (
        sparse_average_linkage(Graph(3, none, none, np.empty(0, np.float32)), 0.5).cut(0.5).tolist()
        == [-1] * 3
    )


# --- learning


def cloaked_crowd(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """60 people: photos of the first 20 are drawn to one direction, where everybody is near everybody."""
    rng = np.random.default_rng(seed)
    owners = rng.permutation(np.repeat(np.arange(60), 8))
    hidden = owners < 20
    rows = rng.normal(size=(60, 64))[owners] + 0.9 * rng.normal(size=(480, 64)) + 1.5 * hidden[:, None]
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32), owners, hidden


def objective(guess: np.ndarray, truth: np.ndarray) -> float:
    """CFR of the cloaked people, as long as the others are sorted well."""
    others = bcubed_objective(guess[truth >= 20], truth[truth >= 20])
    return float(cluster_formation_rate(guess, truth, np.arange(20)).value) if others > 0.85 else others - 2


def test_who_learned_from_cloaks_finds_people_who_are_all_near_each_other_and_average_linkage_does_not() -> (
    None
):
    rows, owners, hidden = cloaked_crowd(1)
    lessons, people, _ = cloaked_crowd(2)
    known, names, _ = cloaked_crowd(3)
    learned = Pairwise().trained(lessons, people, people < 20).calibrated(known, names, objective)
    average = registry.load("attackers", "agglomerative")().calibrated(known, names, objective)
    rates = [
        cluster_formation_rate(attacker.cluster(rows), owners, np.arange(20)).value
        for attacker in (learned, average)
    ]
    assert rates[0] >= 0.8 and rates[1] <= 0.2
    assert bcubed_objective(learned.cluster(rows)[~hidden], owners[~hidden]) > 0.85


def test_a_cloaked_photo_is_never_in_a_collection_with_the_clean_photos_of_its_person() -> None:
    # Copies are each other's nearest photo: beside each other, they would teach that only the nearest counts.
    rows, owners = crowd(200, 20, 0.8, seed=4)
    clean = Pairwise().trained(rows, owners, np.zeros(200, bool))
    twice = Pairwise().trained(np.tile(rows, (2, 1)), np.tile(owners, 2), np.arange(400) >= 200)
    block = next(Pairs.of(rows, 32, Searching()).features())
    likely = [probabilities(block, np.array(attacker.weights)) for attacker in (clean, twice)]
    assert np.abs(likely[0] - likely[1]).mean() < 0.01


def test_training_hangs_on_no_order_and_on_no_names() -> None:
    rows, owners, hidden = cloaked_crowd(5)
    order = np.random.default_rng(5).permutation(len(rows))
    given = Pairwise().trained(rows, owners, hidden)
    assert Pairwise().trained(rows[order], (owners + 7)[order], hidden[order]) == given
    assert given.trained(rows[:40], owners[:40], hidden[:40]) is given


def test_without_training_people_half_of_the_calibration_people_teach() -> None:
    given, owners, _ = cloaked_crowd(6)
    rows = unit_rows(given)
    part = half_of_people(rows, owners, 0)
    tuned = Pairwise().calibrated(given, owners, bcubed_objective)
    assert tuned.weights == Pairwise().trained(rows[part], owners[part], np.zeros(part.sum(), bool)).weights
    trained = Pairwise().trained(*crowd(100, 10, 0.5, seed=7), np.zeros(100, bool))
    assert trained.calibrated(rows, owners, bcubed_objective).weights == trained.weights


def test_half_of_the_people_are_half_of_those_with_many_photos_and_of_those_with_few() -> None:
    rows, _ = crowd(100, 10, 0.5, seed=8)
    owners = np.repeat(np.arange(30), [8] * 10 + [1] * 20)
    part = half_of_people(rows, owners, 0)
    assert [np.unique(owners[part & (owners < 10)]).size, np.unique(owners[part]).size] == [5, 15]
    assert all(part[owners == person].all() or not part[owners == person].any() for person in range(30))
    order = np.random.default_rng(8).permutation(100)
    assert np.array_equal(half_of_people(rows[order], (30 - owners)[order], 0), part[order])


# --- bad input


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        ({"distance": 2.5}, "distance 2.5 is not a cosine distance"),
        ({"distance": 1.0}, "distance must be below 1"),
        ({"neighbours": 0}, "neighbours 0 is below 1"),
        ({"weights": (1.0, 2.0)}, f"weights has 2 numbers, not {len(FEATURES) + 1}"),
    ],
)
def test_parameters_out_of_range_are_the_users_mistake(parameters: dict[str, Any], line: str) -> None:
    with pytest.raises(UserError, match=line):
        replace(Pairwise(), **parameters).check()


def test_useless_training_people_are_the_users_mistake() -> None:
    rows, _ = crowd(3, 1, 0.5, seed=9)
    for people in ([0, 0, 0], [0, 1, 2]):
        with pytest.raises(UserError, match="identities"):
            Pairwise().trained(rows, np.array(people), np.zeros(3, bool))
    with pytest.raises(ValueError, match="not tuned yet"):
        Pairwise().cluster(rows)
