"""How long clustering takes, beside scikit-learn's DBSCAN on the same embeddings."""

from __future__ import annotations

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from sklearn.cluster import DBSCAN

from bench import registry
from bench.metrics.clustering import bcubed_objective, cluster_formation_rate

EPS = 0.5


def embeddings(photos: int) -> tuple[np.ndarray, np.ndarray]:
    """128-d embeddings of people with ten photos each (cosine about .65), and who is on each."""
    rng = np.random.default_rng(photos)
    who = np.repeat(np.arange(photos // 10), 10)
    rows = rng.normal(size=(photos // 10, 128))[who] + 0.73 * rng.normal(size=(photos, 128))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), who


@pytest.mark.parametrize("photos", [2000, 6000])
@pytest.mark.parametrize("by", ["cloakbench", "scikit-learn"])
def test_dbscan(benchmark: BenchmarkFixture, by: str, photos: int) -> None:
    rows, who = embeddings(photos)
    ours = registry.load("attackers", "dbscan")(eps=EPS)
    theirs = DBSCAN(eps=EPS, min_samples=ours.min_samples, metric="cosine")
    benchmark.group = f"DBSCAN, {photos} x 128"
    labels = benchmark(ours.cluster if by == "cloakbench" else theirs.fit_predict, rows)
    # The same partition: each agrees perfectly with the other and with the same share of the truth.
    other = theirs.fit_predict(rows) if by == "cloakbench" else ours.cluster(rows)
    assert np.array_equal(labels == -1, other == -1)
    assert len(set(zip(labels.tolist(), other.tolist(), strict=True))) == np.unique(labels).size
    assert bcubed_objective(labels, who) > 0.9


def test_tuning_dbscan_over_its_grid(benchmark: BenchmarkFixture) -> None:
    rows, who = embeddings(1000)
    attacker = benchmark(registry.load("attackers", "dbscan")().calibrated, rows, who, bcubed_objective)
    assert attacker.eps in attacker.grid


def test_cluster_formation_rate(benchmark: BenchmarkFixture) -> None:
    rng = np.random.default_rng(0)
    labels, owners = rng.integers(-1, 5000, 100_000), rng.integers(0, 8000, 100_000)
    assert benchmark(cluster_formation_rate, labels, owners, np.arange(200)).n == 200
