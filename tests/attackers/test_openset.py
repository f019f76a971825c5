"""Rejecting strangers: the threshold by hand, its rate on people not seen, useless calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bench.attackers._identify import openset
from bench.attackers._identify.enrolled import enrolled, held_out
from planted import known_people, on_a_circle

from bench import registry
from bench.errors import UserError
from bench.types import Gallery

Knn = registry.load("attackers", "knn")
Centroid = registry.load("attackers", "centroid")


def test_the_threshold_is_the_score_that_the_stated_share_of_strangers_exceeds() -> None:
    # Two people, each in turn a stranger to a gallery of the other: 0 and 10 degrees, 50 and 80.
    # Nearest: 0 is 50 off, 10 is 40, 50 is 40, 80 is 70. At far = 1/2 two of four may pass: those at 40.
    rows, owners = on_a_circle(0, 10, 50, 80), np.array([0, 0, 1, 1])
    threshold = Knn(open_set=True, far=0.5).calibrated(rows, owners).threshold
    assert threshold == pytest.approx(np.cos(np.radians(50)))


def test_strangers_who_were_not_seen_are_named_about_as_often_as_was_asked_for() -> None:
    tuned = Knn(open_set=True, far=0.05).calibrated(*known_people(600, 2, spread=0.5, seed=1))
    rows, owners = known_people(1200, 2, spread=0.5, seed=2)
    inside = owners < 600
    ranked = tuned.rank(rows[~inside], Gallery(rows[inside], owners[inside]), 1)
    # Calibrated with galleries of 450 people, asked of one of 600: somebody is like a stranger more often,
    # by about a third, .067. The rest is for 600 strangers being what they are: two standard errors of .015.
    assert 0.037 < (ranked[:, 0] >= 0).mean() < 0.097


def test_people_in_the_gallery_are_accepted_where_they_are_easy() -> None:
    tuned = Centroid(open_set=True).calibrated(*known_people(60, 4, spread=0.3, seed=1))
    rows, owners = known_people(60, 4, spread=0.3, seed=3)
    half = np.arange(owners.size) % 2 == 0
    missing = ~np.isin(owners[~half], owners[half])
    ranked = tuned.rank(rows[~half], Gallery(rows[half], owners[half]), 2)
    assert (ranked[~missing, 0] == owners[~half][~missing]).mean() > 0.95
    assert (ranked[missing] == -1).all()


def test_hyper_parameters_are_tuned_on_every_other_photo_of_everybody() -> None:
    rows, owners = known_people(4, 5, spread=0.5)
    split = held_out(np.concatenate([rows, rows[:1] + 1]), np.concatenate([owners, [9]]))
    assert split.gallery.people.tolist() == [0, 1, 2, 3, 9]
    assert np.bincount(split.gallery.person).tolist() == [3, 3, 3, 3, 1]
    assert np.bincount(split.truth, minlength=5).tolist() == [2, 2, 2, 2, 0]
    assert split.rank_one(lambda probes: np.tile([1, 0, 0, 0, 0], (len(probes), 1))) == 0.25


def test_a_gallery_does_not_remember_how_it_was_listed() -> None:
    rows, owners = known_people(5, 4, spread=0.5)
    order = np.random.default_rng(0).permutation(20)
    first, second = enrolled(rows, owners * 3), enrolled(rows[order], owners[order] * 3)
    assert first.people.tolist() == [0, 3, 6, 9, 12]
    assert np.array_equal(first.rows, second.rows) and np.array_equal(first.person, second.person)


def test_a_threshold_that_was_given_stays() -> None:
    given = Knn(open_set=True, threshold=0.3)
    assert given.calibrated(*known_people(5, 2, spread=0.5)) is given


def test_too_few_strangers_for_the_rate_are_the_users_mistake() -> None:
    with pytest.raises(UserError, match=r"far 0.01 needs 100 photos of calibration identities; .* has 40"):
        Knn(open_set=True).calibrated(*known_people(10, 4, spread=0.5))


def test_nonsense_is_refused() -> None:
    rows, owners = known_people(3, 3, spread=0.5)
    for given, line in (
        ({"far": 0.0}, "far 0 is not a rate"),
        ({"far": 1.0}, "far 1 is not a rate"),
        ({"open_set": True, "threshold": float("nan")}, "threshold nan is not finite"),
        ({"threshold": 0.5}, "a threshold needs open_set=true"),
    ):
        with pytest.raises(UserError, match=line):
            Knn(**given).check()
    with pytest.raises(ValueError, match="knn has no threshold yet"):
        Knn(open_set=True).rank(rows, Gallery(rows, owners), 1)
    with pytest.raises(ValueError, match="whole number of 0 or more"):
        Knn().rank(rows, Gallery(rows, owners - 1), 1)


def test_a_gallery_is_learned_once_for_several_views(monkeypatch: pytest.MonkeyPatch) -> None:
    learned: list[Gallery] = []
    plain = Centroid.fitted

    def fitted(self: Any, held: Gallery) -> Any:
        learned.append(held)
        return plain(self, held)

    monkeypatch.setattr(Centroid, "fitted", fitted)
    openset._last.clear()
    rows = np.eye(4, dtype=np.float32)
    first, second = Gallery(rows[:3], np.array([0, 1, 2])), Gallery(rows[1:], np.array([0, 1, 2]))
    for gallery in (first, first, second, second):
        assert Centroid().rank(gallery.embeddings, gallery, 1)[:, 0].tolist() == [0, 1, 2]
    assert len(learned) == 2
    # another attacker learns for itself
    assert Centroid(far=0.2).rank(rows[1:], second, 1)[:, 0].tolist() == [0, 1, 2]
    assert len(learned) == 3
