"""Support vector machines: a worked margin, LIBLINEAR's optimum, and the kernel by its definition."""

from __future__ import annotations

import numpy as np
import pytest
from bench.attackers._identify.classifiers import squared_hinge_loss, train
from planted import known_people
from sklearn.kernel_approximation import Nystroem
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import LinearSVC

from bench import registry
from bench.errors import UserError
from bench.types import Gallery

Svm = registry.load("attackers", "svm")


def test_two_opposite_photos_have_the_weight_that_can_be_worked_out() -> None:
    # Photos at +1 and -1; w minimises w^2 / 2 + 2 c (1 - w)^2, so that w = 4 c / (1 + 4 c).
    for c in (0.25, 10.0):
        weights = train(
            np.array([[1], [-1]], np.float32), np.array([0, 1]), 2, c, squared_hinge_loss, 2.0, 50
        )
        expected = 4 * c / (1 + 4 * c)
        assert weights[0].tolist() == pytest.approx([expected, -expected], rel=1e-3)


@pytest.mark.parametrize("c", [0.1, 1.0, 10.0])
def test_linear_is_liblinears_optimum(c: float) -> None:
    rows, owners = known_people(12, 8, spread=1.0)
    half = np.arange(owners.size) % 2 == 0
    theirs = LinearSVC(C=c, tol=1e-8, max_iter=100_000, dual=True, random_state=0).fit(
        rows[half], owners[half]
    )
    ranked = Svm(c=c).rank(rows[~half], Gallery(rows[half], owners[half]), 12)
    expected = theirs.decision_function(rows[~half])
    # Decision values agree but for the early stop: nobody is ranked above somebody better by more than a
    # twentieth of the distance between a margin and the border.
    in_order = np.take_along_axis(expected, ranked, axis=1)
    assert np.maximum(np.diff(in_order, axis=1), 0).max() < 0.05
    assert (ranked[:, 0] == theirs.predict(rows[~half])).mean() >= 0.95


def test_rbf_is_liblinear_on_the_whole_kernel_where_there_are_landmarks_for_all() -> None:
    rows, owners = known_people(10, 6, spread=1.0)
    half = np.arange(owners.size) % 2 == 0
    gamma = 1.5
    features = Nystroem(gamma=gamma, n_components=int(half.sum()), random_state=0).fit(rows[half])
    kernel = features.transform(rows) @ features.transform(rows[half]).T
    assert np.allclose(kernel, rbf_kernel(rows, rows[half], gamma), atol=1e-4)  # exact, as the docstring says
    theirs = LinearSVC(C=1.0, tol=1e-8, max_iter=100_000, dual=True, random_state=0)
    theirs.fit(features.transform(rows[half]), owners[half])
    attacker = Svm(kernel="rbf", gamma=gamma, c=1.0)
    ranked = attacker.rank(rows[~half], Gallery(rows[half], owners[half]), 10)
    in_order = np.take_along_axis(theirs.decision_function(features.transform(rows[~half])), ranked, axis=1)
    assert np.maximum(np.diff(in_order, axis=1), 0).max() < 0.05


def test_few_landmarks_still_name_most_people() -> None:
    rows, owners = known_people(10, 12, spread=0.6)
    half = np.arange(owners.size) % 2 == 0
    gallery = Gallery(rows[half], owners[half])
    right = [
        (
            Svm(kernel="rbf", gamma=1.0, c=10.0, landmarks=n).rank(rows[~half], gallery, 1)[:, 0]
            == owners[~half]
        ).mean()
        for n in (30, 512)
    ]
    assert right[1] > 0.95 and right[0] > right[1] - 0.1


def test_a_kernel_separates_what_no_line_does() -> None:
    # Person 0 is at 0 and 180 degrees, person 1 at 90 and 270.
    angle = np.radians([0, 180, 90, 270, 5, 175, 95, 265])
    rows = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    gallery = Gallery(rows[:4], np.array([0, 0, 1, 1]))
    ranked = Svm(kernel="rbf", gamma=2.0, c=10.0).rank(rows[4:], gallery, 1)[:, 0]
    assert ranked.tolist() == [0, 0, 1, 1]


def test_a_photo_that_is_there_many_times_does_not_break_the_kernel() -> None:
    rows, owners = known_people(3, 2, spread=0.3)
    gallery = Gallery(np.repeat(rows, 5, axis=0), np.repeat(owners, 5))
    assert np.array_equal(Svm(kernel="rbf", gamma=1.0, c=1.0).rank(rows, gallery, 1)[:, 0], owners)


def test_parameters_are_tuned_or_stay_as_they_were_given() -> None:
    rows, owners = known_people(20, 4, spread=1.0)
    linear = Svm().calibrated(rows, owners)
    assert linear.c in linear.grid and linear.gamma is None
    rbf = Svm(kernel="rbf").calibrated(rows, owners)
    assert rbf.c in rbf.grid and rbf.gamma in rbf.gamma_grid
    assert Svm(kernel="rbf", gamma=3.0).calibrated(rows, owners).gamma == 3.0
    assert Svm(kernel="rbf", c=3.0).calibrated(rows, owners).c == 3.0


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"kernel": "cubic"}, "no kernel 'cubic'"),
        ({"gamma": 1.0}, "a linear kernel has no gamma"),
        ({"c": -1.0}, "c -1.0 must be above 0"),
        ({"kernel": "rbf", "gamma": 0.0}, "gamma 0.0 must be above 0"),
        ({"landmarks": 0}, "landmarks 0 is below 1"),
    ],
)
def test_nonsense_is_refused(given: dict[str, object], line: str) -> None:
    with pytest.raises(UserError, match=line):
        Svm(**given).check()


def test_it_refuses_to_rank_before_it_is_tuned() -> None:
    rows, owners = known_people(3, 2, spread=0.3)
    for attacker in (Svm(), Svm(kernel="rbf", c=1.0)):
        with pytest.raises(ValueError, match="svm is not tuned yet"):
            attacker.rank(rows, Gallery(rows, owners), 1)
