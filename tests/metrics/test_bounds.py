"""Bounds hold whatever the photos that are not ok had done: every way they could have gone is tried."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.attack.corpus import Corpus
from bench.attack.judge import judge_clustering, judge_identification
from bench.metrics.clustering import contamination, contamination_bounds
from bench.metrics.retrieval import four_cells, single_mate_protection
from bench.types import Score

LABELS = st.integers(-1, 3)


def unit(rng: np.random.Generator, photos: int) -> np.ndarray:
    rows = rng.normal(size=(photos, 3))
    length: np.ndarray = np.linalg.norm(rows, axis=1, keepdims=True)
    shares: np.ndarray = rows / length
    return shares


@settings(max_examples=60)
@given(st.data())
def test_contamination_lies_between_its_bounds_wherever_the_photos_had_gone(data: st.DataObject) -> None:
    unsure_photos = data.draw(st.integers(1, 3))
    users, others = (
        data.draw(st.integers(0, 2)),
        data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=3)),
    )
    owners = np.array([0] * (unsure_photos + users) + [1 + i for i, n in enumerate(others) for _ in range(n)])
    unsure = np.arange(owners.size) < unsure_photos
    draw = st.lists(LABELS, min_size=owners.size, max_size=owners.size)
    clean, labels = np.array(data.draw(draw)), np.array(data.draw(draw))
    background = np.arange(1, len(others) + 1)
    low, high = contamination_bounds(clean, labels, owners, background, unsure)
    assert low <= contamination(clean, labels, owners, background).value <= high
    rates = []
    for places in product([-1, 0, 1, 2, 3, 4], repeat=unsure_photos):
        gone = labels.copy()
        gone[unsure] = places
        rates.append(contamination(clean, gone, owners, background).value)
    assert low == min(rates)
    assert max(rates) <= high


def test_a_few_photos_cannot_harm_everybody() -> None:
    # 100 people with one photo each, alone in both runs; two photos that say nothing join two of them
    owners = np.array([0, 0, *range(1, 101)])
    labels = np.array([-1, -1, *range(100)])
    unsure = np.arange(102) < 2
    assert contamination_bounds(labels, labels, owners, np.arange(1, 101), unsure) == (0.0, 0.02)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.lists(st.booleans(), min_size=4, max_size=4), st.integers(1, 2))
def test_retrieval_lies_between_its_bounds_wherever_the_photos_had_gone(
    seed: int, doubts: list[bool], people: int
) -> None:
    rng = np.random.default_rng(seed)
    unsure = np.array(doubts)
    owners = np.arange(4) // (4 // people)
    clean, cloaked, others, impostor = unit(rng, 4), unit(rng, 4), unit(rng, 2), rng.uniform(-1, 1, 400)
    for rows in (clean, cloaked):
        rows[rng.random(4) < 0.15] = np.nan

    def all_of(released: np.ndarray, doubtful: np.ndarray | None) -> dict[str, Score]:
        scores = four_cells(clean, released, owners, others, impostor=impostor, unsure=doubtful)
        return scores | single_mate_protection(released, clean, owners, others, unsure=doubtful)

    stated = all_of(cloaked, unsure)
    for name, score in stated.items():
        assert (score.bounds is None) == (
            not unsure.any() or "clean_clean" in name or bool(np.isnan(score.value))
        )
    for _ in range(6):
        gone = cloaked.copy()
        gone[unsure] = rng.choice([unit(rng, 4), clean, np.full((4, 3), np.nan)])[unsure]
        for name, score in all_of(gone, None).items():
            bounds = stated[name].bounds
            # where others' photos move too they may be in the way: one's own photos are what bounds are about
            if bounds is not None and (people == 1 or "cloaked_clean" in name or "single" in name):
                assert bounds[0] - 1e-12 <= score.value <= bounds[1] + 1e-12, name


@pytest.mark.parametrize("poisoned", [False, True])
def test_a_user_whose_gallery_says_nothing_may_be_named_always_or_never(poisoned: bool) -> None:
    # two users with two released and one labelled photo each, and one other person
    owners = np.array([0, 0, 1, 1, 0, 1, 2])
    released, linked = np.arange(7) < 4, np.array([False] * 4 + [True, True, False])
    corpus = Corpus(owners, released, linked, np.array([0, 1]), poisoned)
    probes = 2 if poisoned else 4
    ranked = np.tile([1, 0, -1, -1, -1], (probes, 1))  # everybody is called user 1 first
    not_ok = np.array([True, False, False, False])
    scores = judge_identification(ranked, corpus, np.ones(probes, bool), not_ok).scores
    name = "protection_rate" if poisoned else "psr1"
    assert scores[name].value == 0.5
    # the gallery of user 0 has a photo that is not ok, so its one probe may be named; of two probes one may
    assert scores[name].bounds == ((0.0, 0.5) if poisoned else (0.25, 0.5))


def test_every_rate_of_a_cell_with_doubtful_photos_has_bounds() -> None:
    owners = np.array([0, 0, 0, 1, 1, 2, 2])
    corpus = Corpus(owners, owners == 0, np.zeros(7, bool), np.array([0]))
    labels = np.array([0, 0, 0, 1, 1, 2, 2])
    scores = judge_clustering(labels, labels, corpus, np.array([True, False, False])).scores
    assert {name for name, score in scores.items() if score.bounds} == {"cfr", "cfr_strict", "contamination"}
    assert all(
        score.bounds is None for score in judge_clustering(labels, labels, corpus, None).scores.values()
    )
