"""Clustering metrics: worked examples, and brute force on small labelings."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import v_measure_score

from bench.metrics import clustering as c
from bench.types import Score

LABELING = st.integers(1, 14).flatmap(
    lambda n: st.tuples(
        arrays(np.int64, n, elements=st.integers(0, 4)),
        arrays(np.int64, n, elements=st.integers(-1, 4)),
        arrays(np.bool_, n).filter(lambda of: of.any()),
    )
)
Labeling = tuple[np.ndarray, np.ndarray, np.ndarray]


def together(labels: np.ndarray, i: int, j: int) -> bool:
    """Whether an assignment has two photos in one group; a noise photo is alone."""
    return i == j or bool(labels[i] == labels[j] and labels[i] != -1)


# --- cluster formation


def test_a_user_forms_a_cluster_only_by_all_three_conditions() -> None:
    # User 0 has 6 photos: 3 in cluster 7, which holds nobody else. Support 3, purity 1, coverage .5: formed.
    # User 1 has 4 photos: 2 in cluster 8: support 2 is too few.
    # User 2 has 3 photos in cluster 9 beside 3 of person 5: purity .5 does not exceed .5.
    # User 3 has 8 photos: 3 in cluster 6: coverage .375 is below .5.
    owners = [0] * 6 + [1] * 4 + [2] * 3 + [5] * 3 + [3] * 8
    labels = [7] * 3 + [-1] * 3 + [8] * 2 + [-1] * 2 + [9] * 6 + [6] * 3 + [-1] * 5
    table = c.cluster_formation(labels, owners, [0, 1, 2, 3])
    assert c.formed(table).tolist() == [True, False, False, False]
    score = c.cluster_formation_rate(labels, owners, [0, 1, 2, 3])
    assert (score.name, score.value, score.n, score.better) == ("cfr", 0.25, 4, "lower")
    assert score.low < 0.25 < score.high


def test_the_table_holds_the_best_cluster_of_each_user() -> None:
    # User 4: 2 of 5 photos in cluster 0 (alone), 2 in cluster 1 (with a stranger). User 9: all noise.
    owners = np.array([4, 4, 4, 4, 4, 6, 9, 9])
    labels = np.array([0, 0, 1, 1, -1, 1, -1, -1])
    table = c.cluster_formation(labels, owners, [9, 4])
    assert table.users.tolist() == [9, 4]
    assert table.released.tolist() == [2, 5]
    assert table.support.tolist() == [0, 2]
    assert table.purity.tolist() == [0.0, 1.0]
    assert table.coverage.tolist() == [0.0, 0.4]
    assert table.row_cluster.tolist() == [0, 1]
    assert table.row_size.tolist() == [2, 3]


def test_noise_is_never_a_cluster() -> None:
    assert c.cluster_formation_rate([-1] * 10, [0] * 10, [0]).value == 0.0


def test_undetected_photos_stay_in_the_denominator() -> None:
    # 4 of 10 photos cluster, 6 were not detected (-1): coverage is .4, not 1.
    assert c.cluster_formation_rate([3] * 4 + [-1] * 6, [0] * 10, [0]).value == 0.0
    assert c.cluster_formation_rate([3] * 5 + [-1] * 5, [0] * 10, [0]).value == 1.0


def test_strict_thresholds_are_reached_by_equality() -> None:
    # 4 of 5 photos in a cluster of 5: purity .8 and coverage .8.
    labels, owners = [0, 0, 0, 0, -1, 0], [1, 1, 1, 1, 1, 2]
    score = c.formation_rate(c.cluster_formation(labels, owners, [1]), c.STRICT)
    assert (score.name, score.value) == ("cfr_strict", 1.0)
    assert c.cluster_formation_rate(labels, owners, [1], purity=0.8, coverage=0.8).value == 0.0


def test_linked_needs_a_linked_photo_and_counts_it_for_purity() -> None:
    # Cluster 0: 3 released and 2 linked photos of user 1, 3 strangers. Released share 3/8, own share 5/8.
    owners = np.array([1, 1, 1, 1, 1, 2, 2, 2])
    labels = np.zeros(8, np.int64)
    linked = np.array([False] * 3 + [True] * 2 + [False] * 3)
    assert c.cluster_formation_rate(labels, owners, [1], released=~linked).value == 0.0
    score = c.cluster_formation_rate(labels, owners, [1], linked=linked)
    assert (score.name, score.value) == ("cfr_link", 1.0)
    # The same cluster without the linked photos: pure, covered, but nothing links it to the user.
    apart = np.where(linked, 5, np.where(owners == 1, 0, -1))
    assert c.cluster_formation_rate(apart, owners, [1], released=~linked).value == 1.0
    assert c.cluster_formation_rate(apart, owners, [1], linked=linked).value == 0.0


@settings(max_examples=60)
@given(LABELING, st.integers(1, 4), st.floats(0, 1), st.floats(0, 1), st.booleans())
def test_formation_agrees_with_the_definition(
    case: Labeling, support: int, purity: float, coverage: float, linking: bool
) -> None:
    owners, labels, links = case
    users = [u for u in np.unique(owners) if np.any((owners == u) & ~links)]
    if not users:
        return
    linked = links if linking else None

    def forms(user: int) -> bool:
        mine = owners == user
        for cluster in set(labels.tolist()) - {-1}:
            inside = labels == cluster
            shared = int((inside & mine & ~links).sum())
            own = int((inside & mine).sum()) if linking else shared
            if (
                shared >= support
                and own / inside.sum() > purity
                and shared / (mine & ~links).sum() >= coverage
                and (not linking or (inside & mine & links).any())
            ):
                return True
        return False

    table = c.cluster_formation(labels, owners, users, released=~links, linked=linked)
    criterion = c.Criterion(support, purity, coverage)
    assert c.formed(table, criterion).tolist() == [forms(user) for user in users]


def test_bounds_take_unsure_photos_both_ways() -> None:
    # User 0: 4 of 10 photos in a cluster, 3 unsure: with them 7 of 10. User 1: 5 of 10 unsure, the rest
    # noise: they could have made a cluster of their own. User 2: 6 of 10 in a cluster, two of them unsure:
    # without those 4 of 10.
    labels = [0] * 4 + [-1] * 6 + [-1] * 10 + [1] * 6 + [-1] * 4
    unsure = np.isin(np.arange(30), [4, 5, 6, 10, 11, 12, 13, 14, 20, 21])
    assert c.formation_bounds(labels, np.repeat([0, 1, 2], 10), [0, 1, 2], unsure) == (0.0, 1.0)
    assert c.formation_bounds(labels, np.repeat([0, 1, 2], 10), [0, 1, 2], [False] * 30) == (
        pytest.approx(1 / 3),
        pytest.approx(1 / 3),
    )


@given(LABELING, st.booleans(), st.data())
def test_bounds_are_the_extremes_over_every_place_of_the_unsure_photos(
    case: Labeling, linking: bool, data: Any
) -> None:
    owners, labels, links = case
    users = [u for u in np.unique(owners) if np.any((owners == u) & ~links)]
    if not users:
        return
    linked = links if linking else None
    theirs = np.flatnonzero(~links & np.isin(owners, users))
    chosen = data.draw(st.lists(st.sampled_from(theirs.tolist()), max_size=3, unique=True))
    unsure = np.isin(np.arange(owners.size), chosen)
    criterion = c.Criterion(2, 0.5, 0.5)
    low = high = 0
    for user in users:
        mine = np.flatnonzero(unsure & (owners == user))
        seen = set()
        for places in itertools.product([-1, *np.unique(labels[labels >= 0]), 99], repeat=mine.size):
            moved = labels.copy()
            moved[mine] = places
            table = c.cluster_formation(moved, owners, [user], released=~links, linked=linked)
            seen.add(bool(c.formed(table, criterion)[0]))
        low, high = low + min(seen), high + max(seen)
    found = c.formation_bounds(
        labels, owners, users, unsure, released=~links, linked=linked, criterion=criterion
    )
    assert found == (low / len(users), high / len(users))


def test_the_coverage_curve_falls_and_meets_cfr_at_one_half() -> None:
    labels = [0] * 9 + [-1] + [1] * 5 + [-1] * 5
    table = c.cluster_formation(labels, np.repeat([0, 1], 10), [0, 1])
    thresholds, rates = c.coverage_curve(table, [0.5, 0.6, 0.9, 1.0])
    assert thresholds.tolist() == [0.5, 0.6, 0.9, 1.0]
    assert rates.tolist() == [1.0, 0.5, 0.5, 0.0]


def test_a_criterion_wants_all_three_of_one_cluster() -> None:
    support, purity, coverage = (
        np.array([3, 2, 3, 3]),
        np.array([0.6, 1, 0.5, 0.6]),
        np.array([0.5, 1, 1, 0.4]),
    )
    # the second has too few photos, the third is half somebody else's, the fourth covers too little
    assert c.PROTOCOL.met(support, purity, coverage).tolist() == [True, False, False, False]
    assert replace(c.PROTOCOL, purity_reached=True).met(support, purity, coverage).tolist() == [
        True,
        False,
        True,
        False,
    ]


# --- agreement


def test_pairwise_recall_counts_only_same_person_pairs() -> None:
    # a a b b -> true pairs: aa, bb. The attacker joined the a's only: 1 of 2.
    assert c.pairwise_recall(truth=[0, 0, 1, 1], guess=[5, 5, 6, -1]).value == 0.5


@settings(max_examples=60)
@given(LABELING)
def test_pairwise_agrees_with_the_definition(case: Labeling) -> None:
    truth, guess, of = case
    n = truth.size
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n) if of[i] or of[j]]
    joined = [p for p in pairs if together(guess, *p)]
    true = [p for p in pairs if together(truth, *p)]
    both = len(set(joined) & set(true))
    result = c.pairwise(truth, guess, of=of)
    assert (result.precision.n, result.recall.n) == (len(joined), len(true))
    for score, part, whole in (
        (result.precision, both, len(joined)),
        (result.recall, both, len(true)),
        (result.f, 2 * both, len(joined) + len(true)),
    ):
        assert score.value == pytest.approx(part / whole) if whole else math.isnan(score.value)


@settings(max_examples=60)
@given(LABELING)
def test_bcubed_agrees_with_the_definition(case: Labeling) -> None:
    truth, guess, of = case
    n = truth.size
    precision, recall = [], []
    for i in np.flatnonzero(of).tolist():
        mates = [j for j in range(n) if together(guess, i, j)]
        same = [j for j in range(n) if together(truth, i, j)]
        shared = len(set(mates) & set(same))
        precision.append(shared / len(mates))
        recall.append(shared / len(same))
    p, r = np.mean(precision), np.mean(recall)
    result = c.bcubed(truth, guess, of=of)
    assert result.precision.value == pytest.approx(p)
    assert result.recall.value == pytest.approx(r)
    assert result.f.value == pytest.approx(2 * p * r / (p + r))
    assert 0 < result.f.value <= 1


@settings(max_examples=60)
@given(LABELING)
def test_best_match_f1_agrees_with_the_definition(case: Labeling) -> None:
    owners, labels, _ = case
    groups = [[j for j in range(owners.size) if together(labels, i, j)] for i in range(owners.size)]
    people = np.unique(owners)
    expected = []
    for person in people:
        mine = set(np.flatnonzero(owners == person).tolist())
        expected.append(max(2 * len(mine & set(g)) / (len(g) + len(mine)) for g in groups))
    assert c.best_match_f1(labels, owners, people) == pytest.approx(expected)


@settings(max_examples=40)
@given(LABELING, st.permutations(range(5)), st.randoms())
def test_names_and_order_change_nothing(case: Labeling, names: list[int], random: Any) -> None:
    truth, guess, of = case
    renamed = np.where(guess == -1, -1, np.array(names)[guess])
    order = np.array(random.sample(range(truth.size), truth.size))
    users = np.unique(truth)
    metrics: list[Callable[[np.ndarray, np.ndarray, np.ndarray], Score]] = [
        lambda t, g, of: c.bcubed(t, g, of=of).f,
        lambda t, g, of: c.pairwise(t, g, of=of).f,
        lambda t, g, _: c.cluster_formation_rate(g, t, users, support=1),
        lambda t, g, _: c.v_measure(t, g),
        lambda t, g, of: c.noise_share(g, of=of),
        lambda t, g, _: c.cluster_count(g),
    ]
    for metric in metrics:
        expected = metric(truth, guess, of).value
        assert metric(truth, renamed, of).value == pytest.approx(expected, nan_ok=True)
        assert metric(truth[order], guess[order], of[order]).value == pytest.approx(expected, nan_ok=True)


@settings(max_examples=60)
@given(LABELING)
def test_a_perfect_assignment_scores_one_and_moving_photos_to_noise_never_joins_more(case: Labeling) -> None:
    truth, guess, of = case
    assert c.bcubed(truth, truth).f.value == 1.0
    noisier = np.where(of, -1, guess)
    before, after = c.bcubed(truth, guess), c.bcubed(truth, noisier)
    assert after.recall.value <= before.recall.value + 1e-12
    assert c.pairwise(truth, noisier).precision.n <= c.pairwise(truth, guess).precision.n


def test_an_assignment_of_noise_only() -> None:
    # Four singletons of two people: every photo alone in a pure cluster that covers half its person.
    result = c.bcubed([0, 0, 1, 1], [-1] * 4)
    assert (result.precision.value, result.recall.value) == (1.0, 0.5)
    assert c.pairwise([0, 0, 1, 1], [-1] * 4).f.value == 0.0
    assert c.cluster_count([-1] * 4).value == 0.0
    assert c.noise_share([-1, -1, 0, 0], of=np.array([True, False, True, False])).value == 0.5


def test_v_measure_is_scikit_learns_with_noise_as_singletons() -> None:
    # Photos 2 and 4 are noise: clusters of one.
    expected = v_measure_score([0, 0, 0, 1, 1, 1], [0, 0, 3, 1, 4, 1])
    assert c.v_measure([0, 0, 0, 1, 1, 1], [0, 0, -1, 1, -1, 1]).value == pytest.approx(expected)


@settings(max_examples=60)
@given(LABELING)
def test_v_measure_without_noise_is_scikit_learns(case: Labeling) -> None:
    truth, guess, _ = case
    expected = v_measure_score(truth, guess + 1)
    assert c.v_measure(truth, guess + 1).value == pytest.approx(expected, abs=1e-9)


def test_contamination_counts_people_whose_f1_falls_by_more_than_a_tenth() -> None:
    # Person 1 keeps a cluster. Person 2 (2 photos) and person 3 (1 photo, noise before) land in one cluster
    # of 7 with user 0: F1 1 -> 2*2/(7+2) = .44 and 1 -> 2*1/(7+1) = .25. 2 of 3 people.
    owners = [1, 1, 1, 1, 2, 2, 3, 0, 0, 0, 0]
    clean = [0, 0, 0, 0, 1, 1, -1, 2, 2, 2, 2]
    cloaked = [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1]
    score = c.contamination(clean, cloaked, owners, [1, 2, 3])
    assert (score.value, score.n) == (pytest.approx(2 / 3), 3)
    assert c.contamination(clean, clean, owners, [1, 2, 3]).value == 0.0


def test_a_fall_of_exactly_a_tenth_does_not_count() -> None:
    # Nine photos in a cluster of nine, then with two strangers: F1 18/18 -> 18/20, a fall of .1.
    owners, users = [1] * 9 + [0, 0], [1]
    assert c.contamination([0] * 9 + [-1, -1], [0] * 11, owners, users).value == 0.0
    worse = c.contamination([0] * 9 + [-1] * 3, [0] * 12, [*owners, 0], users)
    assert worse.value == 1.0


# --- bad input


@pytest.mark.parametrize(
    ("labels", "owners", "users", "line"),
    [
        ([0, 0], [1], [1], "lengths differ: labels 2, owners 1"),
        ([0, 0], [1, 1], [], "users is empty"),
        ([0, 0], [1, 1], [1, 1], "names somebody twice"),
        ([0, 0], [1, 1], [2], "user 2 has no released photo"),
        ([0.0, math.nan], [1, 1], [1], "labels must be whole numbers"),
        ([0, -2], [1, 1], [1], "labels must be at least -1"),
        ([[0, 0]], [1, 1], [1], "labels must have one axis"),
        ([], [], [1], "empty"),
    ],
)
def test_bad_arrays_are_refused_in_one_line(labels: Any, owners: Any, users: Any, line: str) -> None:
    with pytest.raises(ValueError, match=line) as error:
        c.cluster_formation_rate(labels, owners, users)
    assert "\n" not in str(error.value)


def test_bad_masks_are_refused() -> None:
    with pytest.raises(ValueError, match="released must be 2 booleans"):
        c.cluster_formation_rate([0, 0], [1, 1], [1], released=[1, 0])
    with pytest.raises(ValueError, match="both released and linked"):
        c.cluster_formation_rate([0, 0], [1, 1], [1], released=[True, True], linked=[False, True])
    with pytest.raises(ValueError, match="chooses no photo"):
        c.bcubed([0, 0], [0, 0], of=[False, False])
    with pytest.raises(ValueError, match="person 3 has no photo"):
        c.best_match_f1([0, 0], [1, 1], [3])
