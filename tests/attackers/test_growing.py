"""The growing gallery: worked chains on a circle, false additions included, whatever the order of probes."""

from __future__ import annotations

import numpy as np
import pytest

from bench import registry
from bench.errors import UserError
from bench.types import Gallery

Growing = registry.load("attackers", "growing")
Knn = registry.load("attackers", "knn")


def on_circle(*degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


def cosine(degrees: float) -> float:
    return float(np.cos(np.radians(degrees)))


# Person 0 at 0 degrees, person 1 at 70. Probes of person 0 at 15, 30 and 45: the last is nearer to person 1.
GALLERY = Gallery(on_circle(0, 70), np.array([0, 1]))
CHAIN = on_circle(15, 30, 45)


def test_a_probe_is_named_through_one_that_was_recognised_before() -> None:
    assert Knn().rank(CHAIN, GALLERY, 1)[:, 0].tolist() == [0, 0, 1]
    # Within 20 degrees: round 1 adds 15 as 0, round 2 adds 30, round 3 adds 45; nobody else comes near 70.
    assert Growing(threshold=cosine(20)).rank(CHAIN, GALLERY, 1)[:, 0].tolist() == [0, 0, 0]


def test_rounds_end_it_early() -> None:
    # After one round there is 15 beside 0: 45 is 30 from it and 25 from person 1. After two there is 30.
    for rounds, last in ((0, 1), (1, 1), (2, 0)):
        ranked = Growing(threshold=cosine(20), rounds=rounds).rank(CHAIN, GALLERY, 1)
        assert ranked[:, 0].tolist() == [0, 0, last]


def test_a_false_addition_draws_others_after_it() -> None:
    # Person 0's probe at 52 is recognised as 1, 18 degrees off. Then 34, 34 from person 0, is 18 from it.
    probes = on_circle(34, 52)
    assert Knn().rank(probes, GALLERY, 1)[:, 0].tolist() == [0, 1]
    assert Growing(threshold=cosine(20)).rank(probes, GALLERY, 1)[:, 0].tolist() == [1, 1]


def test_a_probe_is_not_its_own_evidence() -> None:
    # 15 is added as person 0. Left with itself it would be ranked at similarity 1, and above any threshold.
    attacker = Growing(threshold=cosine(20), open_set=True)
    assert attacker.rank(on_circle(15), GALLERY, 2).tolist() == [[0, 1]]
    # Both at 60 are added as 1. In the end each is like its twin.
    assert attacker.rank(on_circle(60, 60), GALLERY, 2).tolist() == [[1, 0], [1, 0]]


def test_open_set_names_nobody_who_was_not_recognised_in_the_end() -> None:
    probes = on_circle(15, 30, 200)
    assert Growing(threshold=cosine(20)).rank(probes, GALLERY, 1)[:, 0].tolist() == [0, 0, 1]
    ranked = Growing(threshold=cosine(20), open_set=True).rank(probes, GALLERY, 1)
    assert ranked[:, 0].tolist() == [0, 0, -1]


def test_without_additions_it_is_the_nearest_photo() -> None:
    rng = np.random.default_rng(0)
    rows, owners = rng.normal(size=(40, 8)).astype(np.float32), rng.integers(0, 6, 40)
    gallery, probes = Gallery(rows[:30], owners[:30]), rows[30:]
    for attacker in (Growing(threshold=1.5), Growing(threshold=0.0, rounds=0)):
        assert np.array_equal(attacker.rank(probes, gallery, 6), Knn().rank(probes, gallery, 6))


def test_the_order_of_the_probes_does_not_matter() -> None:
    rng = np.random.default_rng(1)
    owners = np.repeat(np.arange(10), 8)
    rows = (rng.normal(size=(10, 16))[owners] + rng.normal(size=(80, 16))).astype(np.float32)
    gallery, probes = Gallery(rows[::4], owners[::4]), np.delete(rows, np.s_[::4], axis=0)
    order = rng.permutation(len(probes))
    attacker = Growing(threshold=0.55)
    ranked = attacker.rank(probes, gallery, 10)
    assert np.array_equal(attacker.rank(probes[order], gallery, 10), ranked[order])
    assert not np.array_equal(ranked, Knn().rank(probes, gallery, 10))  # the gallery did grow


def test_the_threshold_is_calibrated_as_that_of_an_open_set() -> None:
    rng = np.random.default_rng(2)
    owners = np.repeat(np.arange(20), 6)
    rows = (rng.normal(size=(20, 16))[owners] + 0.5 * rng.normal(size=(120, 16))).astype(np.float32)
    tuned = Growing().calibrated(rows, owners)
    assert tuned.threshold == Knn(open_set=True).calibrated(rows, owners).threshold
    assert Growing(threshold=0.4).calibrated(rows, owners) == Growing(threshold=0.4)


def test_nonsense_is_refused() -> None:
    with pytest.raises(UserError, match="rounds -1 is below 0"):
        Growing(rounds=-1).check()
    with pytest.raises(ValueError, match="growing has no threshold yet"):
        Growing().rank(CHAIN, GALLERY, 1)
