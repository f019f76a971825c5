"""Cluster, then assign: templates by hand, both distances in planted cases, and what is tuned of it."""

from __future__ import annotations

import numpy as np
import pytest
from planted import on_a_circle

from bench import registry
from bench.attack import second_step as of_second_step
from bench.attack.calibration import Calibration
from bench.attack.corpus import Corpus
from bench.attack.second_step import CANDIDATES, SecondStep, all_candidates, tuned_second_step
from bench.attack.tuning import tune, tune_in_hindsight, with_second_step
from bench.metrics.clustering import cluster_formation_rate
from bench.recognition.embedded import all_faces


def distance(degrees: float) -> float:
    return 1 - float(np.cos(np.radians(degrees)))


# --- joining


def test_what_is_left_over_joins_the_nearest_cluster_that_is_near_enough() -> None:
    # two people of three photos, noise at 20 and 60 degrees, and a pair at 70
    rows = on_a_circle(0, 2, 4, 90, 92, 94, 20, 60, 70, 71)
    labels = np.array([0, 0, 0, 1, 1, 1, -1, -1, 2, 2])
    # templates lie at 2 and 92 degrees: 18, 32, 22 and 21 degrees away
    assert SecondStep(join=distance(17)).after(rows, labels).tolist() == labels.tolist()
    assert SecondStep(join=distance(19)).after(rows, labels).tolist() == [0, 0, 0, 1, 1, 1, 0, -1, 2, 2]
    assert SecondStep(join=distance(23)).after(rows, labels).tolist() == [0, 0, 0, 1, 1, 1, 0, -1, 1, 1]
    assert SecondStep(join=distance(40)).after(rows, labels).tolist() == [0, 0, 0, 1, 1, 1, 0, 1, 1, 1]
    assert labels.tolist() == [0, 0, 0, 1, 1, 1, -1, -1, 2, 2]


def test_a_member_at_the_rim_says_less_of_a_template() -> None:
    # The plain mean of 0, 0, 0 and 80 degrees lies at 17.2 degrees. Cosines with it are .96 and .46, and so
    # weighted the mean lies at 8.7. A photo at 60 degrees is 42.8 or 51.3 degrees away.
    rows = on_a_circle(0, 0, 0, 80, 60)
    labels = np.array([0, 0, 0, 0, -1])
    plain = np.degrees(np.arctan2(np.sin(np.radians(80)), 3 + np.cos(np.radians(80))))
    near, far = np.cos(np.radians(plain)), np.cos(np.radians(80 - plain))
    weighted = np.degrees(np.arctan2(far * np.sin(np.radians(80)), 3 * near + far * np.cos(np.radians(80))))
    assert (round(plain, 1), round(weighted, 1)) == (17.2, 8.7)
    assert SecondStep(join=distance(60 - weighted - 0.2)).after(rows, labels)[4] == -1
    assert SecondStep(join=distance(60 - weighted + 0.2)).after(rows, labels)[4] == 0


@pytest.mark.parametrize("labels", [[-1] * 6, [0, 0, 1, 1, -1, -1], []])
def test_without_a_cluster_of_three_nothing_happens(labels: list[int]) -> None:
    rows = on_a_circle(*range(len(labels)))
    assert SecondStep(0.7, 0.5).after(rows, np.array(labels, np.int64)).tolist() == labels


# --- merging


def test_clusters_with_near_templates_merge_in_rounds_and_pairs_that_are_not_nearest_wait() -> None:
    # Templates at 1, 11 and 31 degrees. The first two merge, at 6 degrees; that is 25 from the third.
    rows = on_a_circle(0, 1, 2, 10, 11, 12, 30, 31, 32)
    labels = np.repeat([0, 1, 2], 3)
    assert SecondStep(merge=distance(9)).after(rows, labels).tolist() == labels.tolist()
    assert SecondStep(merge=distance(21)).after(rows, labels).tolist() == [0] * 6 + [1] * 3
    assert SecondStep(merge=distance(26)).after(rows, labels).tolist() == [0] * 9


def test_two_merged_clusters_attract_as_one() -> None:
    rows = on_a_circle(0, 1, 2, 20, 21, 22, 36)
    labels = np.array([0, 0, 0, 1, 1, 1, -1])
    assert SecondStep(join=distance(16)).after(rows, labels).tolist() == [0, 0, 0, 1, 1, 1, 1]
    assert SecondStep(distance(16), distance(21)).after(rows, labels).tolist() == [0] * 6 + [-1]


# --- many photos


def test_templates_that_are_searched_through_lists_are_nearly_always_the_nearest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    people = rng.normal(size=(300, 32))
    owners = np.repeat(np.arange(300), 5)
    rows = people[owners] + 0.5 * rng.normal(size=(1500, 32))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    labels = np.where(np.arange(1500) % 5 < 3, owners, -1)
    exact = SecondStep(0.6, 0.2).after(rows, labels)
    assert (exact == owners).mean() > 0.98
    monkeypatch.setattr(of_second_step, "_EXACT_UP_TO", 100)
    assert (SecondStep(0.6, 0.2).after(rows, labels) == exact).mean() > 0.98


def test_the_order_of_photos_does_not_matter() -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(200, 8))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    labels = registry.load("attackers", "dbscan")(eps=0.15).cluster(rows)
    order = rng.permutation(200)
    given, other = (SecondStep(0.3, 0.2).after(rows[o], labels[o]) for o in (np.arange(200), order))
    again = np.empty(200, np.int64)
    again[order] = other
    pairs = {(int(a), int(b)) for a, b in zip(given, again, strict=True)}
    assert len(pairs) == np.unique(given).size == np.unique(again).size


# --- tuning


def people(seed: int, crowd: int = 60) -> Calibration:
    """20 people with 8 photos each, of which a third is far out, and a crowd with two photos each."""
    rng = np.random.default_rng(seed)
    owners = np.concatenate([np.repeat(np.arange(20), 8), np.repeat(np.arange(20, 20 + crowd), 2)])
    spread = np.where((np.arange(owners.size) % 3 == 0) & (owners < 20), 1.3, 0.5)
    rows = rng.normal(size=(20 + crowd, 64))[owners] + spread[:, None] * rng.normal(size=(owners.size, 64))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return Calibration(all_faces(rows), owners, np.arange(20))


def rate(guess: np.ndarray, truth: np.ndarray) -> float:
    """CFR with coverage .9, which needs the photos that are far out."""
    return cluster_formation_rate(guess, truth, np.arange(20), coverage=0.9).value


@pytest.mark.parametrize("seed", range(4))
def test_all_candidates_together_are_what_each_makes_alone(seed: int) -> None:
    draw = np.random.default_rng(seed)
    people = np.repeat(np.arange(12), 12)
    rows = draw.normal(size=(12, 24))[people] + draw.uniform(0.3, 1.5, (144, 1)) * draw.normal(size=(144, 24))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    labels = np.where(draw.random(144) < 0.3, -1, 2 * people + draw.integers(0, 2, 144))
    together = all_candidates(rows, labels)
    alone = [step.after(rows, labels) for step in CANDIDATES]
    assert all(np.array_equal(*pair) for pair in zip(together, alone, strict=True))
    assert len({tuple(guess) for guess in together}) > 10


def test_both_distances_are_those_that_find_most_people_on_others_too() -> None:
    known, users = people(1), people(2)
    dbscan = registry.load("attackers", "dbscan")(eps=0.4)
    labels = dbscan.cluster(known.embeddings)
    step = tuned_second_step(known.embeddings, known.people, labels, rate)
    rates = [rate(one.after(known.embeddings, labels), known.people) for one in CANDIDATES]
    assert rates[CANDIDATES.index(step)] == max(rates) > rates[0]
    before = dbscan.cluster(users.embeddings)
    assert rate(step.after(users.embeddings, before), users.people) >= rate(before, users.people) + 0.5


def test_a_crowd_that_would_be_mixed_up_forbids_a_distance() -> None:
    known = people(3)
    labels = registry.load("attackers", "dbscan")(eps=0.4).cluster(known.embeddings)
    crowd = known.people >= 20

    def mixed(guess: np.ndarray, truth: np.ndarray) -> float:
        return 1.0 if np.array_equal(guess[crowd], labels[crowd]) else 0.0

    step = tuned_second_step(known.embeddings, known.people, labels, rate, mixed)
    assert np.array_equal(step.after(known.embeddings, labels)[crowd], labels[crowd])
    free = tuned_second_step(known.embeddings, known.people, labels, lambda *_: 0.0)
    assert free == SecondStep(0.0, 0.0)  # of equally good ones, the least


def test_the_clusterer_stays_as_it_was_tuned_and_one_that_is_told_the_number_of_people_is_told_it() -> None:
    known = people(4)
    first = tune(registry.load("attackers", "dbscan")(), known)
    both = with_second_step(first, known)
    assert first.second_step is None and both.second_step in CANDIDATES
    assert (both.attacker, both.rates) == (first.attacker, first.rates)
    oracle = with_second_step(tune(registry.load("attackers", "kmeans")(), known), known)
    assert oracle.second_step in CANDIDATES and oracle.attacker.people is None


def test_in_hindsight_a_candidate_is_worth_what_the_best_second_step_makes_of_it() -> None:
    users = people(5)
    everybody = np.arange(users.owners.size)
    corpus = Corpus(users.owners, users.owners < 20, np.zeros(everybody.size, bool), np.arange(20))
    attacker = registry.load("attackers", "dbscan")()
    alone = tune_in_hindsight(attacker, "dbscan", users, corpus)
    both = tune_in_hindsight(attacker, "dbscan", users, corpus, second_step=True)
    assert all(after >= before for before, after in zip(alone.rates, both.rates, strict=True))
