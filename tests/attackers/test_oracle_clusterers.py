"""k-means and spectral clustering with the true number of people: scikit-learn's on the same embeddings."""

from __future__ import annotations

import numpy as np
import pytest
from bench.attackers import spectral
from sklearn.cluster import KMeans, SpectralClustering
from sklearn.metrics import adjusted_rand_score

from bench import registry
from bench.errors import UserError

Kmeans = registry.load("attackers", "kmeans")
Spectral = registry.load("attackers", "spectral")


def crowd(spread: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    owners = rng.permutation(np.arange(200) % 20)
    rows = rng.normal(size=(20, 32))[owners] + spread * rng.normal(size=(200, 32))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), owners


def test_k_means_is_scikit_learns() -> None:
    # Both stop in a local optimum, which hangs on the first means: from many of them both find the best.
    rows, _ = crowd(0.4)
    expected = KMeans(20, n_init=40, random_state=1).fit_predict(rows)
    assert adjusted_rand_score(Kmeans(20, restarts=40).cluster(rows), expected) > 0.99


def test_mini_batches_find_nearly_the_same() -> None:
    rows, owners = crowd(0.2)
    assert adjusted_rand_score(Kmeans(20, exact_up_to=0).cluster(rows), owners) > 0.8


@pytest.mark.filterwarnings("ignore:Graph is not fully connected")
@pytest.mark.parametrize("neighbours", [5, 8])
def test_spectral_clustering_is_scikit_learns_on_the_same_graph(neighbours: int) -> None:
    rows, _ = crowd(0.4)
    alike = rows @ rows.T
    np.fill_diagonal(alike, -2)
    graph = np.zeros_like(alike)
    near = np.argsort(-alike, axis=1)[:, :neighbours]
    np.put_along_axis(graph, near, np.maximum(np.take_along_axis(alike, near, 1), 0), axis=1)
    theirs = SpectralClustering(20, affinity="precomputed", random_state=1, n_init=40)
    expected = theirs.fit_predict((graph + graph.T) / 2)
    assert adjusted_rand_score(Spectral(20, neighbours, restarts=40).cluster(rows), expected) > 0.99


def test_eigenvectors_one_after_another_are_those_of_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, _ = crowd(0.3)
    whole = Spectral(20, 8, restarts=40).cluster(rows)
    monkeypatch.setattr(spectral, "_DENSE_UP_TO", 50)
    assert adjusted_rand_score(Spectral(20, 8, restarts=40).cluster(rows), whole) > 0.99


def test_a_photo_without_a_neighbour_is_somebody() -> None:
    # At right angles to all others: no similarity above zero, no edge, and nothing to divide by.
    rows = np.eye(4, dtype=np.float32)[[0, 0, 0, 1, 1, 1, 2]]
    labels = Spectral(people=3, neighbours=2).cluster(rows)
    assert labels.tolist() == [0, 0, 0, 1, 1, 1, 2]


def test_people_are_shared_out_among_the_parts_of_the_graph() -> None:
    # Two people in one half of the space, three in the other, at right angles: no edge between the halves.
    rng = np.random.default_rng(0)
    centres = np.zeros((5, 40))
    centres[:2, :20] = 1 + 0.6 * rng.normal(size=(2, 20))
    centres[2:, 20:] = 1 + 0.6 * rng.normal(size=(3, 20))
    owners = np.arange(60) % 5
    rows = centres[owners] + (centres[owners] > 0) * 0.15 * rng.normal(size=(60, 40))
    labels = Spectral(people=5, neighbours=8).cluster(rows.astype(np.float32))
    assert adjusted_rand_score(labels, owners) == 1


def test_more_people_than_photos_are_as_many_as_photos() -> None:
    rows, _ = crowd(0.3)
    for attacker in (Kmeans(people=500), Spectral(people=500, neighbours=3)):
        assert attacker.cluster(rows[:6]).max() <= 5


def test_the_calibration_of_spectral_tells_it_the_number_of_calibration_people_only() -> None:
    rows, owners = crowd(0.4)
    tuned = Spectral().calibrated(rows, owners, lambda guess, truth: -abs(float(guess.max()) + 1 - 20))
    assert tuned.people is None and tuned.neighbours in tuned.grid


def test_parameters_out_of_range_are_the_users_mistake() -> None:
    with pytest.raises(UserError, match="kmeans: people 0 is below 1"):
        Kmeans(people=0).cluster(np.eye(2, dtype=np.float32))
    with pytest.raises(UserError, match="spectral: neighbours 0 is below 1"):
        Spectral(people=2, neighbours=0).cluster(np.eye(2, dtype=np.float32))
