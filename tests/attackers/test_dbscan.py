"""DBSCAN: scikit-learn's partition, its rule for border photos, and how its threshold is tuned."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import DBSCAN

from bench import registry
from bench.errors import UserError
from bench.metrics.clustering import bcubed_objective

Dbscan = registry.load("attackers", "dbscan")


def renamed(labels: np.ndarray) -> list[int]:
    """Clusters numbered by first appearance."""
    names = {-1: -1}
    return [names.setdefault(int(label), len(names) - 1) for label in labels]


def on_circle(*degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


@settings(max_examples=60)
@given(
    st.integers(0, 10_000),
    st.integers(1, 120),
    st.sampled_from([2, 3, 8]),
    st.floats(0.02, 0.9),
    st.integers(1, 6),
)
def test_the_partition_is_scikit_learns_border_photos_too(
    seed: int, photos: int, dimensions: int, eps: float, min_samples: int
) -> None:
    # Few dimensions and a wide eps make photos that are near several clusters.
    rows = np.random.default_rng(seed).normal(size=(photos, dimensions)).astype(np.float32)
    expected = DBSCAN(eps=eps, min_samples=min_samples, metric="cosine").fit_predict(rows)
    assert Dbscan(eps=eps, min_samples=min_samples).cluster(rows).tolist() == renamed(expected)


def test_a_border_photo_goes_to_the_cluster_whose_first_core_photo_comes_first() -> None:
    # Two runs of four photos 1 degree apart, and one photo between them, 5 degrees from either. Within 5.5
    # degrees only the inner ends, 3 and 13, have five photos; the one at 8 has three: border of both.
    eps = float(1 - np.cos(np.radians(5.5)))
    left, right = [0, 1, 2, 3], [13, 14, 15, 16]
    for order in ([*left, 8, *right], [*right, 8, *left], [8, *right, *left]):
        labels = Dbscan(eps=eps, min_samples=5).cluster(on_circle(*order))
        first = left if order.index(left[-1]) < order.index(right[0]) else right
        assert {order[i] for i in np.flatnonzero(labels == labels[order.index(8)])} == {*first, 8}
        expected = DBSCAN(eps=eps, min_samples=5, metric="cosine").fit_predict(on_circle(*order))
        assert labels.tolist() == renamed(expected)


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(3).normal(size=(200, 6)).astype(np.float32)
    whole = Dbscan(eps=0.2).cluster(rows)
    monkeypatch.setattr("bench.attackers._graph.search.TILE", 7)
    assert np.array_equal(Dbscan(eps=0.2).cluster(rows), whole)


def test_length_of_an_embedding_does_not_matter() -> None:
    rows = np.random.default_rng(4).normal(size=(80, 4)).astype(np.float32)
    scale = np.random.default_rng(5).uniform(0.1, 9, size=(80, 1)).astype(np.float32)
    assert np.array_equal(Dbscan(eps=0.1).cluster(rows * scale), Dbscan(eps=0.1).cluster(rows))


def test_the_middle_of_the_widest_plateau_is_taken() -> None:
    # Two people 90 degrees apart, photos within 1 degree: every eps from .1 to .9 sorts them perfectly.
    rows, people = on_circle(0, 0.5, 1, 90, 90.5, 91), np.repeat([0, 1], 3)
    attacker = Dbscan(grid=(1e-6, 0.1, 0.3, 0.5, 0.9, 1.5))
    assert attacker.calibrated(rows, people, bcubed_objective).eps == 0.3


def test_the_objective_is_given_the_guess_and_then_the_truth() -> None:
    rows, people = on_circle(0, 0.5, 90, 90.5), np.array([5, 5, 8, 8])
    calls = []

    def objective(guess: np.ndarray, truth: np.ndarray) -> float:
        calls.append((guess.tolist(), truth.tolist()))
        return 0.0

    Dbscan(grid=(0.1,), min_samples=2).calibrated(rows, people, objective)
    assert calls == [([0, 0, 1, 1], [5, 5, 8, 8])]


def test_tuning_on_the_graph_is_tuning_on_the_photos() -> None:
    # The grid is cut from one graph; each cut must be what clustering at that eps gives.
    rng = np.random.default_rng(6)
    people = np.repeat(np.arange(12), 7)
    rows = (rng.normal(size=(12, 16))[people] + 0.7 * rng.normal(size=(84, 16))).astype(np.float32)
    scores = [bcubed_objective(Dbscan(eps=eps).cluster(rows), people) for eps in Dbscan().grid]
    chosen = Dbscan().calibrated(rows, people, bcubed_objective)
    assert bcubed_objective(chosen.cluster(rows), people) == max(scores)


def test_an_eps_that_was_given_is_not_tuned() -> None:
    rows, people = on_circle(0, 1, 90, 91), np.array([0, 0, 1, 1])
    assert Dbscan(eps=0.7).calibrated(rows, people, bcubed_objective) == Dbscan(eps=0.7)


def test_every_candidate_is_a_parameter_that_can_be_written_down() -> None:
    assert asdict(Dbscan())["grid"] == Dbscan().grid
    assert asdict(Dbscan())["grid"][0] == 0.05 and asdict(Dbscan())["grid"][-1] == 0.9


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        ({"eps": 0.0}, "eps 0.0 is not a cosine distance"),
        ({"eps": 2.5}, "eps 2.5 is not a cosine distance"),
        ({"eps": 0.5, "min_samples": 0}, "min_samples 0 is below 1"),
        ({"eps": 0.5, "grid": (0.5, 0.4)}, "grid must increase"),
        ({"eps": 0.5, "grid": ()}, "grid must increase"),
    ],
)
def test_parameters_out_of_range_are_the_users_mistake(parameters: dict[str, Any], line: str) -> None:
    with pytest.raises(UserError, match=line):
        Dbscan(**parameters).cluster(on_circle(0, 1))


def test_clustering_before_calibration_is_refused() -> None:
    with pytest.raises(ValueError, match="no eps yet"):
        Dbscan().cluster(on_circle(0, 1))
