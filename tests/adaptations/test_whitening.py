"""Whitening of embeddings: what is narrowed, held to other implementations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import eigh
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from bench.adaptations.ensembles import unit
from bench.adaptations.methods import Whiten
from bench.adaptations.whitening import Whitening, shrunk, within_people
from bench.types import Labels

SIZE = 12


def cloaked_people(
    people: int, photos: int, seed: int, push: float = 0.0
) -> tuple[np.ndarray, Labels, np.ndarray]:
    """People around means of their own, each photo clean and cloaked; a cloak pushes along the first axis."""
    draw = np.random.default_rng(seed)
    owners = np.repeat(np.arange(people), 2 * photos)
    cloaked = np.tile(np.arange(2 * photos) % 2 == 1, people)
    rows = draw.standard_normal((people, SIZE))[owners] + 0.3 * draw.standard_normal((len(owners), SIZE))
    rows[:, 0] += push * cloaked * (1 + 0.5 * draw.standard_normal(len(owners)))
    return unit(rows.astype(np.float32)), owners.astype(np.int64), cloaked


def cosines(rows: np.ndarray, owners: Labels, cloaked: np.ndarray) -> tuple[float, float]:
    """The mean cosine of a person's clean and cloaked photos, and of two people's cloaked photos."""
    table = rows @ rows.T
    same = owners[:, None] == owners[None, :]
    own = table[same & (cloaked[:, None] != cloaked[None, :])]
    others = table[~same & cloaked[:, None] & cloaked[None, :]]
    return float(own.mean()), float(others.mean())


@pytest.mark.parametrize("method", ["wccn", "lda"])
def test_the_direction_of_cloaks_is_narrowed_for_people_who_taught_nothing(method: str) -> None:
    known, unseen = cloaked_people(40, 5, 0, push=6.0), cloaked_people(40, 5, 1, push=6.0)
    own, others = cosines(*unseen)
    assert own < 0.5 < others  # cloaked people are more like each other than like themselves
    whitened = Whitening.fitted(*known, Whiten(method, shrinkage=0.01))(unseen[0])
    own, others = cosines(whitened, *unseen[1:])
    assert own > 0.8
    assert others < 0.2


def test_a_crowd_without_cloaks_does_not_hide_what_cloaks_do() -> None:
    rows, owners, cloaked = cloaked_people(20, 5, 0, push=6.0)
    crowd, strangers, _ = cloaked_people(1000, 2, 2)
    together = np.concatenate([rows, crowd])
    people = np.concatenate([owners, strangers + 20])
    shown = np.concatenate([cloaked, np.zeros(len(crowd), bool)])
    unseen = cloaked_people(40, 5, 1, push=6.0)

    def own(cloaked: np.ndarray) -> float:
        whitening = Whitening.fitted(together, people, cloaked, Whiten(shrinkage=0.01))
        return cosines(whitening(unseen[0]), *unseen[1:])[0]

    assert own(shown) > 0.7
    assert own(np.ones(len(together), bool)) < own(shown) - 0.1  # all people in one group


def test_all_directions_kept_are_those_of_scikit_learn() -> None:
    rows, owners, cloaked = cloaked_people(30, 4, 3, push=2.0)
    centred = rows.astype(np.float64) - rows.mean(0, dtype=np.float64)  # its `transform` does not centre
    theirs = LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.3).fit(centred, owners)
    expected = unit(theirs.transform(centred).astype(np.float32))
    found = Whitening.fitted(rows, owners, cloaked, Whiten("lda", shrinkage=0.3))(rows)
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-5)


@pytest.mark.parametrize("kept", [1, 5, SIZE])
def test_few_directions_are_those_of_the_generalised_eigenproblem(kept: int) -> None:
    rows, owners, cloaked = cloaked_people(30, 4, 4, push=2.0)
    exact = rows.astype(np.float64)
    means = np.stack([exact[owners == person].mean(0) for person in range(30)])
    deviations = exact - means[owners]
    within = deviations.T @ deviations / (len(rows) - 30)
    within = 0.8 * within + 0.2 * np.trace(within) / SIZE * np.eye(SIZE)
    _, directions = eigh(np.cov(means.T), within)
    expected = unit(((exact - means.mean(0)) @ directions[:, ::-1][:, :kept]).astype(np.float32))
    found = Whitening.fitted(rows, owners, cloaked, Whiten("lda", kept, 0.2))(rows)
    assert found.shape == (len(rows), kept)
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-4)


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.floats(0.01, 1), st.integers(1, SIZE))
def test_the_covariance_within_people_becomes_a_ball(seed: int, share: float, kept: int) -> None:
    rows, owners, cloaked = cloaked_people(8, 3, seed, push=1.0)
    within = shrunk(within_people(torch.from_numpy(rows).double(), owners, cloaked), share)
    for method in ("wccn", "lda"):
        matrix = Whitening.fitted(rows, owners, cloaked, Whiten(method, kept, share)).matrix
        ball = (matrix.T @ within @ matrix).numpy()
        np.testing.assert_allclose(ball, np.eye(kept), atol=1e-8)


def test_the_covariance_of_all_photos_becomes_a_ball() -> None:
    rows, owners, cloaked = cloaked_people(30, 4, 5)
    matrix = Whitening.fitted(rows, owners, cloaked, Whiten("pca", 5, 1e-9)).matrix.numpy()
    np.testing.assert_allclose(np.cov((rows @ matrix).T), np.eye(5), atol=1e-5)
    first = np.linalg.svd(rows - rows.mean(0))[2][:5]
    assert np.linalg.matrix_rank(np.concatenate([first, matrix.T]), tol=1e-4) == 5


def test_nothing_to_learn_from_is_said() -> None:
    rows = np.eye(4, dtype=np.float32)
    with pytest.raises(ValueError, match="no person has two photos"):
        Whitening.fitted(rows, np.arange(4), np.ones(4, bool), Whiten())
    with pytest.raises(ValueError, match="do not differ"):
        Whitening.fitted(rows[[0, 0, 1, 1]], np.array([0, 0, 1, 1]), np.ones(4, bool), Whiten())
