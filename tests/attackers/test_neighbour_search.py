"""Neighbour search: exact whatever the short cuts, and how much lists find."""

from __future__ import annotations

import numpy as np
import pytest
from bench.attackers._embeddings.order import content_order
from bench.attackers._graph import search
from bench.attackers._graph.neighbours import neighbour_graph
from bench.attackers._graph.search import near_pairs, nearest
from bench.attackers._graph.searching import EXACT, Searching
from sklearn.metrics import adjusted_rand_score

from bench import registry
from bench.errors import UserError


def crowd(photos: int, dimensions: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(photos)
    owners = rng.permutation(np.arange(photos) % max(1, photos // 10))
    rows = rng.normal(size=(photos // 10, dimensions))[owners] + spread * rng.normal(
        size=(photos, dimensions)
    )
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), owners


@pytest.mark.parametrize("floor", [-0.5, 0.0, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("tile", [64, 400])
def test_bfloat16_rules_out_nothing_that_is_near(
    monkeypatch: pytest.MonkeyPatch, floor: float, tile: int
) -> None:
    # Where the processor has no bfloat16 the same arithmetic is slow, and right all the same.
    monkeypatch.setattr(search, "TILE", tile)
    monkeypatch.setattr(search, "_multiplies_bfloat16", lambda: True)
    rows, _ = crowd(1000, 24, 0.6)
    left, right, alike = near_pairs(rows, floor, EXACT)
    expected = np.argwhere(np.triu(rows.astype(np.float64) @ rows.T.astype(np.float64) >= floor, 1))
    assert np.array_equal(np.stack([left, right], axis=1), expected)
    assert np.allclose(alike, np.einsum("ij,ij->i", rows[left], rows[right]), atol=1e-6)


def test_the_bound_on_rounding_holds_for_the_worst_rounding() -> None:
    # Numbers that bfloat16 rounds by the most, 2^-9 of themselves, all in the same direction.
    import torch

    worst = np.full((1, 256), np.float32(2**-4 * (1 + 2**-8 * 0.4999)), np.float32)
    rounded = torch.from_numpy(worst).bfloat16()
    exact = float((worst.astype(np.float64) ** 2).sum())
    assert abs(float(rounded @ rounded.T) - exact) / exact < search._ROUNDING


@pytest.mark.parametrize("count", [1, 5, 40])
def test_nearest_are_the_nearest_in_order_and_never_oneself(count: int) -> None:
    rows, _ = crowd(300, 16, 0.6)
    neighbours, alike = nearest(rows, count, EXACT)
    full = rows @ rows.T
    np.fill_diagonal(full, -2)
    assert np.array_equal(neighbours, np.argsort(-full, axis=1, kind="stable")[:, :count])
    assert np.allclose(alike, np.take_along_axis(full, neighbours.astype(np.int64), 1), atol=1e-6)


def test_twins_are_each_others_nearest_and_few_photos_have_few_neighbours() -> None:
    rows = np.tile(np.eye(1, 8, dtype=np.float32), (5, 1))
    neighbours, alike = nearest(rows, 16, EXACT)
    assert neighbours.tolist() == [[j for j in range(5) if j != i] for i in range(5)]
    assert np.allclose(alike, 1)
    assert nearest(rows[:1], 16, EXACT)[0].shape == (1, 0)


def test_a_pair_found_through_lists_is_a_pair_and_most_are_found() -> None:
    rows, _ = crowd(3000, 64, 0.73)
    exact = near_pairs(rows, 0.5, EXACT)
    lists = near_pairs(rows, 0.5, Searching(exact_up_to=0))
    cosine_of = dict(
        zip(zip(exact[0].tolist(), exact[1].tolist(), strict=True), exact[2].tolist(), strict=True)
    )
    pairs = list(zip(lists[0].tolist(), lists[1].tolist(), strict=True))
    assert len(set(pairs)) == len(pairs) > 0.99 * len(cosine_of)
    assert [cosine_of[pair] for pair in pairs] == lists[2].tolist()


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("dbscan", {"eps": 0.5}),
        ("components", {"eps": 0.5}),
        ("agglomerative", {"distance": 0.5}),
        ("chinese-whispers", {"eps": 0.5}),
        ("infomap", {"eps": 0.5}),
        ("leiden", {"eps": 0.5, "penalty": 0.001}),
        ("louvain", {"eps": 0.5, "penalty": 0.001}),
        ("hdbscan", {"min_cluster_size": 3, "min_samples": 2, "selection": "eom", "cut": 2.0}),
        ("photoprism", {"link": 1.0, "radius": 0.7, "match": 0.3}),
        ("recognize", {}),
        ("librephotos", {}),
        ("pictopy", {"eps": 0.5}),
        ("ente", {"max_distance": 0.5}),
        ("immich-guided", {"max_distance": 0.5}),
        ("dlib-whispers", {"distance": 1.0, "length": 1.0}),
    ],
)
def test_through_lists_people_are_the_same(name: str, parameters: dict[str, float]) -> None:
    rows, _ = crowd(3000, 128, 0.7)
    plugin = registry.load("attackers", name)
    exact = plugin(**parameters).cluster(rows)
    assert adjusted_rand_score(exact, plugin(**parameters, exact_up_to=0).cluster(rows)) > 0.999


def test_too_many_pairs_are_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "PAIRS_AT_MOST", 1000)
    with pytest.raises(ValueError, match=r"^more than 1,000 pairs of photos are within cosine distance 0\.5"):
        neighbour_graph(np.ones((100, 4), np.float32), 0.5)


@pytest.mark.parametrize(
    "given", [{"exact_up_to": -1}, {"probes": 0}, {"seed": -1}], ids=["exact_up_to", "probes", "seed"]
)
def test_search_parameters_out_of_range_are_the_users_mistake(given: dict[str, int]) -> None:
    with pytest.raises(UserError, match=r"^components: exact_up_to .* must be at least 0, probes"):
        registry.load("attackers", "components")(eps=0.5, **given).cluster(np.eye(2, dtype=np.float32))


def test_only_the_nearest_of_many_are_kept_from_either_side() -> None:
    angle = np.radians([0, 1, 3, 6, 10])
    rows = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    graph = neighbour_graph(rows, 0.5).nearest(1)
    # The nearest of 0 is 1, of 1 it is 0, of 3 it is 1, of 6 it is 3, of 10 it is 6.
    assert list(zip(graph.left.tolist(), graph.right.tolist(), strict=True)) == [
        (0, 1),
        (1, 2),
        (2, 3),
        (3, 4),
    ]


def test_the_order_of_contents_is_another_for_another_seed_and_the_same_for_another_listing() -> None:
    rows, _ = crowd(100, 8, 1.0)
    shuffled = np.random.default_rng(0).permutation(100)
    assert np.array_equal(shuffled[content_order(rows[shuffled], 3)], content_order(rows, 3))
    assert not np.array_equal(content_order(rows, 3), content_order(rows, 4))
