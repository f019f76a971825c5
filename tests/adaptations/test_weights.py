"""Weights of an ensemble's members, chosen on the attacker's own cloaks."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.adaptations.ensembles import side_by_side, unit
from bench.adaptations.weights import FAR, fit_weights
from bench.types import Labels, Mask

PEOPLE, PHOTOS = 20, 8
OWNERS: Labels = np.repeat(np.arange(PEOPLE), PHOTOS)
CLOAKED: Mask = np.tile(np.arange(PHOTOS) % 2 == 1, PEOPLE)


def member(seed: int, clean: float, cloaked: float) -> np.ndarray:
    """Embeddings of a network that people stand out in: as much as given on clean and on cloaked photos."""
    draw = np.random.default_rng(seed)
    strength = np.where(CLOAKED, cloaked, clean)[:, None]
    noise = unit(draw.standard_normal((len(OWNERS), 24)).astype(np.float32))
    centres = unit(draw.standard_normal((PEOPLE, 24)).astype(np.float32))
    return unit((strength * centres[OWNERS] + noise).astype(np.float32))


def told(rows: np.ndarray) -> float:
    """The share of pairs of one person, one photo cloaked at least, above all but a share of other pairs."""
    first, second = np.triu_indices(len(OWNERS), 1)
    cosines = (rows @ rows.T)[first, second]
    same = OWNERS[first] == OWNERS[second]
    threshold = np.sort(cosines[~same])[-max(1, round(FAR * int((~same).sum())))]
    return float((cosines[same & (CLOAKED[first] | CLOAKED[second])] > threshold).mean())


def test_the_one_network_that_sees_through_is_not_drowned() -> None:
    blind = [member(seed, clean=3, cloaked=0) for seed in range(4)]
    seeing = member(9, clean=1.0, cloaked=1.0)
    members = [*blind, seeing]
    weights = fit_weights(members, OWNERS, CLOAKED)
    assert weights[-1] > 0.5
    assert told(side_by_side(members, weights)) > told(side_by_side(members)) + 0.1


def test_two_networks_that_see_half_share_the_weight() -> None:
    members = [member(1, 1.2, 1.0), member(2, 1.2, 1.0), member(3, 0, 0)]
    weights = fit_weights(members, OWNERS, CLOAKED)
    assert min(weights[:2]) > 0.3
    assert weights[2] < 0.1
    best_single = max(told(rows) for rows in members)
    assert told(side_by_side(members, weights)) > best_single + 0.1


@settings(max_examples=15)
@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0, 2)), min_size=2, max_size=3))
def test_weights_are_no_worse_than_equal_ones_or_one_member_and_near_the_best(
    strengths: list[tuple[float, float]],
) -> None:
    members = [member(i, *strength) for i, strength in enumerate(strengths)]
    weights = fit_weights(members, OWNERS, CLOAKED)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)
    reached = told(side_by_side(members, weights))
    slack = 2e-3  # a pair at the threshold may fall on either side: rows of float32, and a sum of cosines
    assert reached >= max(told(rows) for rows in (*members, side_by_side(members))) - slack
    grid = [np.array(steps) / 10 for steps in product(range(11), repeat=len(members)) if sum(steps) == 10]
    exhaustive = max(told(side_by_side(members, one)) for one in grid)
    assert reached >= exhaustive - 0.03


def test_a_member_without_weight_is_as_if_it_were_not_there() -> None:
    one, two, three = (member(seed, 1, 1) for seed in range(3))
    with_it = side_by_side([one, two, three], np.array([0.25, 0.0, 0.75]))
    without = side_by_side([one, three], np.array([0.25, 0.75]))
    np.testing.assert_array_equal(with_it[:, 24:48], 0)
    np.testing.assert_allclose(with_it @ with_it.T, without @ without.T, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(with_it, axis=1), 1, atol=1e-6)


def test_people_without_cloaks_do_not_count() -> None:
    members = [member(1, 1.2, 1.0), member(2, 3.0, 0.2)]
    alone = fit_weights(members, OWNERS, CLOAKED)
    crowd = [np.concatenate([rows, rows[:40]]) for rows in members]
    owners = np.concatenate([OWNERS, np.arange(40) + PEOPLE])
    among = fit_weights(crowd, owners, np.concatenate([CLOAKED, np.zeros(40, bool)]))
    np.testing.assert_array_equal(alone, among)


@pytest.mark.parametrize("cloaked", [np.zeros(4, bool), np.array([True, True, False, False])])
def test_too_few_cloaked_people_are_said(cloaked: Mask) -> None:
    rows = np.eye(4, dtype=np.float32)
    with pytest.raises(ValueError, match="two people or more"):
        fit_weights([rows, rows], np.array([0, 0, 1, 1]), cloaked)
