"""PhotoPrism: DBSCAN, clusters that are too wide split, leftovers matched."""

from __future__ import annotations

import numpy as np
import pytest
from bench.attackers._embeddings.order import content_order
from bench.attackers._graph.assigning import cluster_means, nearest_means
from bench.attackers._graph.searching import Searching
from sklearn.cluster import DBSCAN

from bench import registry

Photoprism = registry.load("attackers", "photoprism")


def crowd(spread: float, photos: int = 200, people: int = 20) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    owners = rng.permutation(np.arange(photos) % people)
    rows = rng.normal(size=(people, 32))[owners] + spread * rng.normal(size=(photos, 32))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), owners


def on_a_circle(*places: float) -> np.ndarray:
    """Unit vectors in a plane, at Euclidean distances along the chord from the first axis."""
    angles = 2 * np.arcsin(np.array(places) / 2)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def same_partition(one: np.ndarray, other: np.ndarray) -> bool:
    pairs = set(zip(one.tolist(), other.tolist(), strict=True))
    return len(pairs) == np.unique(one).size == np.unique(other).size


@pytest.mark.parametrize("spread", [0.2, 0.4, 0.5, 0.7])
def test_before_splitting_and_matching_it_is_scikit_learns_dbscan_over_euclidean_distance(
    spread: float,
) -> None:
    rows, _ = crowd(spread)
    rows = rows[content_order(rows, 0)]
    expected = DBSCAN(eps=0.78, min_samples=5).fit_predict(rows.astype(np.float64))
    # a cap of 2 lets every cluster accept its own
    ours = Photoprism(radius=2.0, match=0.01).grouped(rows)
    assert np.array_equal(ours == -1, expected == -1)
    assert same_partition(ours, expected)


def test_two_people_whom_a_row_of_faces_chains_are_split() -> None:
    # Ten faces at either end of a quarter of a circle, and six between them, .224 from one to the next.
    angles = np.concatenate([np.zeros(10), np.full(10, np.pi / 2), np.linspace(0, np.pi / 2, 8)[1:-1]])
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    # At .25 all are one group. Its ends are .77 from its middle, and it accepts .3 + .2 only. .25 x .95^2 is
    # .226, and all are one group still; .25 x .95^3 is .214, and the row has fallen apart.
    numbers = {"link": 0.25, "radius": 0.3, "match": 0.2, "core": 2}
    assert Photoprism(**numbers).grouped(rows).tolist() == [0] * 10 + [1] * 10 + [-1] * 6
    assert Photoprism(**numbers, rounds=2).grouped(rows).tolist() == [-1] * 26  # given up
    # where a wider cluster is allowed, nothing is split
    assert Photoprism(**numbers | {"radius": 0.6}).grouped(rows).tolist() == [0] * 26


def test_a_group_that_stays_too_wide_in_every_round_is_noise() -> None:
    ring = on_a_circle(*np.linspace(0, 1.2, 40))
    labels = Photoprism(link=0.5, radius=0.1, match=0.05, core=3).grouped(ring)
    # .5 x .95^6 = .37 is still far more than the .03 between neighbours
    assert (labels == -1).all()


def test_the_radius_is_the_percentile_by_nearest_rank() -> None:
    # 20 photos: rank 19 of 20 is the second farthest, so one that is far off does not count; of 10, it does
    near = [0.1] * 10 + [-0.1] * 9
    attacker = Photoprism(link=1.0, radius=1.0, match=0.05, core=2)
    mean = np.array([1, 0], np.float32)
    assert attacker._spread(on_a_circle(*near, 0.9), mean) == pytest.approx(0.1, abs=1e-3)
    assert attacker._spread(on_a_circle(*near[:9], 0.9), mean) == pytest.approx(0.9, abs=1e-3)


def test_a_leftover_joins_in_the_second_step_as_far_as_the_cluster_accepts() -> None:
    core = [-0.1, -0.05, 0.0, 0.05, 0.1]
    numbers = {"link": 0.2, "radius": 0.6, "match": 0.35}
    # radius .1 + match .35 from the middle: .44 joins, .46 does not; the link distance alone reaches .3
    rows = on_a_circle(*core, 0.44, -0.46)
    attacker = Photoprism(**numbers)
    assert attacker.grouped(rows).tolist() == [0] * 5 + [-1, -1]
    assert attacker.cluster(rows).tolist() == [0] * 6 + [-1]
    # a capped radius counts for less
    assert Photoprism(**numbers | {"radius": 0.05}).cluster(rows).tolist() == [0] * 5 + [-1, -1]


def test_no_cluster_accepts_a_face_from_beyond_the_products_limit() -> None:
    # internal/ai/face/config.go of PhotoPrism 260919: 1.4, whatever radius and match distance add up to
    core = [-0.1, -0.05, 0.0, 0.05, 0.1]
    wide = Photoprism(link=0.2, radius=1.5, match=1.9)
    assert wide.cluster(on_a_circle(*core, 1.39)).tolist() == [0] * 6
    assert wide.cluster(on_a_circle(*core, 1.41)).tolist() == [0] * 5 + [-1]


def test_a_face_within_the_margin_of_two_clusters_joins_none() -> None:
    left, right = [-0.6, -0.55, -0.5, -0.45, -0.4], [0.4, 0.45, 0.5, 0.55, 0.6]
    numbers = {"link": 0.2, "radius": 0.6, "match": 0.5}
    between = Photoprism(**numbers).cluster(on_a_circle(*left, *right, 0.0))
    assert between.tolist() == [0] * 5 + [1] * 5 + [-1]
    # .006 nearer to one than to the other: distances .994 times .5 or so, a difference below .01 and above
    assert Photoprism(**numbers).cluster(on_a_circle(*left, *right, 0.002)).tolist()[-1] == -1
    assert Photoprism(**numbers).cluster(on_a_circle(*left, *right, 0.02)).tolist()[-1] == 1
    assert Photoprism(**numbers, margin=0.0).cluster(on_a_circle(*left, *right, 0.002)).tolist()[-1] == 1


def test_a_cluster_that_does_not_accept_a_face_is_no_rival() -> None:
    # the left cluster reaches .1 + .15 from -.5, the right one .3 + .15 from .5: only the right accepts .1
    left, right = [-0.6, -0.55, -0.5, -0.45, -0.4], [0.2, 0.35, 0.5, 0.65, 0.8]
    rows = on_a_circle(*left, *right, 0.06)
    labels = Photoprism(link=0.35, radius=0.6, match=0.15, core=3).matched(
        rows, np.array([0] * 5 + [1] * 5 + [-1])
    )
    assert labels.tolist() == [0] * 5 + [1] * 5 + [1]


def test_means_are_found_through_lists_as_among_all() -> None:
    rows, owners = crowd(0.3, photos=4000, people=400)
    labels = np.where(np.arange(4000) % 4 == 0, -1, np.unique(owners, return_inverse=True)[1])
    means, leftover = cluster_means(rows, labels), rows[labels < 0]
    exact = nearest_means(leftover, means, Searching())
    lists = nearest_means(leftover, means, Searching(exact_up_to=0))
    assert exact[0].shape == (1000, 8)
    expected = np.argsort(-(leftover @ means.T), axis=1, kind="stable")[:, 0]
    assert (exact[0][:, 0] == expected).all()
    assert (lists[0][:, 0] == expected).mean() > 0.95
    assert (np.diff(exact[1], axis=1) >= 0).all()
    np.testing.assert_allclose(exact[1][:, 0] ** 2, 2 - 2 * (leftover @ means.T).max(axis=1), atol=1e-4)


def test_the_mean_of_photos_that_cancel_out_is_one_of_them() -> None:
    rows = on_a_circle(0.0, 2.0)
    assert cluster_means(rows, np.array([0, 0])).tolist() == rows[:1].tolist()
