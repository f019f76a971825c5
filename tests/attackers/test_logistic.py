"""Logistic regression: a worked probability, and scikit-learn's optimum."""

from __future__ import annotations

import numpy as np
import pytest
from bench.attackers._identify.classifiers import softmax_loss, train
from planted import known_people
from scipy.optimize import brentq
from sklearn.linear_model import LogisticRegression

from bench import registry
from bench.errors import UserError
from bench.types import Gallery

Logistic = registry.load("attackers", "logistic")


def test_two_opposite_photos_have_the_weights_that_can_be_worked_out() -> None:
    # Photos at +1 and -1 of persons 0 and 1. By symmetry the weights are w and -w, and the loss is
    # w^2 + 2 c log(1 + exp(-2 w)): its derivative 2 w - 4 c / (1 + exp(2 w)) is 0.
    for c in (0.5, 10.0):
        weights = train(np.array([[1], [-1]], np.float32), np.array([0, 1]), 2, c, softmax_loss, 0.5, 100)
        expected = brentq(lambda w, c=c: 2 * w - 4 * c / (1 + np.exp(2 * w)), 0, 100)
        assert weights[0].tolist() == pytest.approx([expected, -expected], rel=1e-2)


@pytest.mark.parametrize(
    ("people", "photos"), [(8, 6), (15, 2)]
)  # more photos than dimensions, and about as many
@pytest.mark.parametrize("c", [1.0, 100.0])
def test_it_is_scikit_learns_optimum(people: int, photos: int, c: float) -> None:
    rows, owners = known_people(people, photos * 2, spread=1.0)
    half = np.zeros(owners.size, np.bool_)
    for person in range(people):
        half[np.flatnonzero(owners == person)[:photos]] = True
    theirs = LogisticRegression(C=c, fit_intercept=False, tol=1e-8, max_iter=5000).fit(
        rows[half], owners[half]
    )
    ours = train(rows[half], owners[half], people, c, softmax_loss, 1 / people, 50)
    # It stops where a step gains less than a hundred-thousandth, so that scores differ a little.
    scores = rows[~half] @ ours
    expected = theirs.decision_function(rows[~half])
    assert np.abs(scores - expected).max() < 0.02 * np.abs(expected).max()
    ranked = Logistic(c=c).rank(rows[~half], Gallery(rows[half], owners[half]), 1)[:, 0]
    # Two people whose scores are nearly equal may change places: at most one probe of 20.
    assert (ranked == theirs.predict(rows[~half])).mean() >= 0.95


def test_scores_are_log_probabilities() -> None:
    rows, owners = known_people(6, 5, spread=0.5)
    attacker = Logistic(c=100.0, open_set=True, threshold=float(np.log(0.5)))
    gallery = Gallery(rows[:25], owners[:25])
    certain = attacker.rank(rows[25:], gallery, 1)
    # Half way between two people neither has more than half of the probability.
    between = rows[owners == 0][:1] + rows[owners == 1][:1]
    assert (certain[:, 0] == owners[25:]).all()
    assert Logistic(c=0.01, open_set=True, threshold=float(np.log(0.5))).rank(between, gallery, 1) == -1


def test_c_is_tuned_where_it_matters_and_stays_where_it_was_given() -> None:
    rows, owners = known_people(20, 6, spread=1.0)
    tuned = Logistic().calibrated(rows, owners)
    assert tuned.c in tuned.grid and tuned.threshold is None
    assert Logistic(c=7.0).calibrated(rows, owners) == Logistic(c=7.0)


def test_nonsense_is_refused() -> None:
    rows, owners = known_people(3, 3, spread=0.5)
    with pytest.raises(UserError, match="c 0 must be above 0"):
        Logistic(c=0).check()
    with pytest.raises(UserError, match="steps 0 is below 1"):
        Logistic(steps=0).check()
    with pytest.raises(ValueError, match="logistic is not tuned yet"):
        Logistic().rank(rows, Gallery(rows, owners), 1)
