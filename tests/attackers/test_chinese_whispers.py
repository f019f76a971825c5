"""Chinese Whispers: beside the algorithm as it is written in the paper, without any short cut."""

from __future__ import annotations

import numpy as np
import pytest
from bench.attackers._graph.neighbours import neighbour_graph
from bench.attackers._graph.whispers import whispered_labels

from bench import registry
from bench.errors import UserError

ChineseWhispers = registry.load("attackers", "chinese-whispers")


def crowd(spread: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    owners = rng.permutation(np.arange(300) % 30)
    rows = rng.normal(size=(30, 32))[owners] + spread * rng.normal(size=(300, 32))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), owners


def as_written(rows: np.ndarray, eps: float, random: np.random.Generator) -> np.ndarray:
    """Twenty passes over all photos; every photo is visited on each, and asks everybody."""
    alike = (rows @ rows.T).astype(np.float64)
    near = (1 - alike <= eps) & ~np.eye(len(rows), dtype=bool)
    names = np.arange(len(rows))
    for _ in range(20):
        for photo in random.permutation(len(rows)):
            if near[photo].any():
                votes = np.bincount(names[near[photo]], alike[photo, near[photo]])
                names[photo] = int(votes.argmax())
    return names


def groups(names: np.ndarray) -> set[frozenset[int]]:
    named = np.where(names < 0, -2 - np.arange(names.size), names)
    return {frozenset(np.flatnonzero(named == name).tolist()) for name in np.unique(named)}


@pytest.mark.parametrize("spread", [0.3, 0.6, 0.8, 1.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_visiting_in_the_same_order_it_finds_the_same(spread: float, seed: int) -> None:
    rows, _ = crowd(spread)
    expected = as_written(rows, 0.5, np.random.Generator(np.random.Philox(seed)))
    assert groups(whispered_labels(neighbour_graph(rows, 0.5), 20, seed)) == groups(expected)


def test_visiting_in_another_order_it_finds_the_same_people_where_they_hang_together() -> None:
    rows, owners = crowd(0.3)
    assert groups(ChineseWhispers(eps=0.5).cluster(rows)) == groups(owners)
    assert groups(as_written(rows, 0.5, np.random.default_rng(5))) == groups(owners)


def test_another_seed_is_another_order_and_may_be_another_answer() -> None:
    # Photos on a circle, each as near to the next as to the one before: who wins is chance.
    angle = np.radians(np.arange(0, 360, 10))
    rows = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    answers = {tuple(ChineseWhispers(eps=0.02, seed=seed).cluster(rows).tolist()) for seed in range(8)}
    assert len(answers) > 1


def test_a_bridge_of_one_photo_does_not_join_two_people() -> None:
    # Five photos within 4 degrees, five others 40 degrees on, and one in the middle that is near both.
    angle = np.radians([0, 1, 2, 3, 4, 22, 40, 41, 42, 43, 44])
    rows = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    labels = ChineseWhispers(eps=float(1 - np.cos(np.radians(23)))).cluster(rows)
    assert len(set(labels[:5])) == len(set(labels[6:])) == 1 and labels[0] != labels[-1]
    joined = registry.load("attackers", "components")(eps=float(1 - np.cos(np.radians(23)))).cluster(rows)
    assert set(joined) == {0}


def test_parameters_out_of_range_are_the_users_mistake() -> None:
    with pytest.raises(UserError, match="passes 0 is below 1"):
        ChineseWhispers(eps=0.5, passes=0).cluster(np.eye(2, dtype=np.float32))
