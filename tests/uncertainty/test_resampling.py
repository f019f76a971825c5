"""The hierarchical bootstrap: what is resampled, what is paired, and how a small number of draws is read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bench.uncertainty.intervals import spread
from bench.uncertainty.resampling import bootstrap_means, percentile, rescaled, stretch


def board(seed: int = 0, attackers: int = 2, draws: int = 5, users: int = 60) -> np.ndarray:
    rng = np.random.Generator(np.random.Philox(seed))
    latent = rng.normal(0, 1, (attackers, 1, users)) + rng.normal(0, 1, (attackers, draws, users))
    return latent < -1


def test_replicates_scatter_as_users_and_draws_do() -> None:
    # Owen (2007): the variance of replicates of a full table, to first order in 1/R and 1/N
    one = board()[:1]
    means = bootstrap_means(one, replicates=20_000)[:, 0]
    found = spread(one[0])
    draws, users = 5, 60
    by_draw, by_user = one[0].mean(1).var() / draws, one[0].mean(0).var() / users
    within = one[0] - one[0].mean(0) - one[0].mean(1)[:, None] + one[0].mean()
    expected = by_draw + by_user + (within**2).mean() / (draws * users)
    assert means.mean() == pytest.approx(found.mean, abs=0.002)
    assert means.var() == pytest.approx(expected, rel=0.05)


def test_with_one_draw_users_alone_are_resampled() -> None:
    one = board(draws=1)[:1]
    rate = one.mean()
    assert bootstrap_means(one, replicates=20_000).var() == pytest.approx(rate * (1 - rate) / 60, rel=0.05)


def test_two_attackers_with_the_same_outcomes_have_the_same_replicates() -> None:
    same = np.repeat(board()[:1], 2, 0)
    first, second = bootstrap_means(same).T
    assert np.array_equal(first, second)
    # and so have two calls over the same users and draws: that is what pairs two defenses
    assert np.array_equal(first, bootstrap_means(same[:1])[:, 0])


def test_the_seed_decides_and_nothing_else() -> None:
    outcomes = board()
    np.random.default_rng(5)
    assert np.array_equal(bootstrap_means(outcomes, seed=3), bootstrap_means(outcomes, seed=3))
    assert not np.array_equal(bootstrap_means(outcomes, seed=3), bootstrap_means(outcomes, seed=4))


def test_ragged_draws_weigh_by_who_was_there() -> None:
    # two draws without a common user: a replicate is a ratio of those taken, and the mean is kept
    outcomes = np.zeros((1, 2, 8), bool)
    outcomes[0, 0, :3] = True
    present = np.zeros((2, 8), bool)
    present[0, :4] = present[1, 4:] = True
    means = bootstrap_means(outcomes, present, replicates=4000)
    assert means.mean() == pytest.approx(3 / 8, abs=0.03)
    assert means.min() >= 0 and means.max() <= 0.75 + 0.25


def test_after_zero_events_a_bootstrap_alone_is_a_point() -> None:
    means = bootstrap_means(np.zeros((1, 5, 30)))[:, 0]
    assert percentile(means) == (0.0, 0.0)
    assert stretch(np.zeros((5, 30)), means) == 1.0


def test_a_maximum_of_replicates_lies_above_the_maximum_and_is_put_back() -> None:
    outcomes = board(attackers=5)
    rates = outcomes.mean((1, 2))
    maxima = bootstrap_means(outcomes).max(1)
    bias, interval = rescaled(float(rates.max()), maxima, 1.0)
    assert bias == pytest.approx(maxima.mean() - rates.max())
    assert bias > 0
    low, high = percentile(maxima)
    assert interval == pytest.approx((low - 2 * bias, high - 2 * bias))


def test_five_draws_are_read_wider_than_their_own_quantiles() -> None:
    # draws differ and users do not: the bootstrap sees 4/5 of the variance between five draws and no t with 4
    # degrees of freedom: sqrt(5/4) 2.78 / 1.96 = 1.58
    outcomes = np.arange(1000) < np.array([[100], [200], [300], [400], [500]])
    permuted = np.stack([np.random.default_rng(i).permutation(row) for i, row in enumerate(outcomes)])
    means = bootstrap_means(permuted[None], replicates=5000)[:, 0]
    assert stretch(permuted, means) == pytest.approx(1.58, rel=0.05)


@pytest.mark.parametrize(
    ("outcomes", "options", "line"),
    [
        (np.zeros((2, 3)), {}, r"must be \[attacker, draw, user\]"),
        (np.zeros((0, 2, 3)), {}, "with an attacker"),
        (np.zeros((1, 2, 3)), {"replicates": 0}, "replicates must be at least 1"),
        (np.full((1, 2, 3), np.nan), {}, "not finite"),
        (np.zeros((1, 2, 3)), {"present": np.ones((3, 2), bool)}, "present must be"),
    ],
)
def test_bad_input_is_refused(outcomes: Any, options: Any, line: str) -> None:
    with pytest.raises(ValueError, match=line):
        bootstrap_means(outcomes, **options)


@pytest.mark.parametrize("values", [[], [float("nan")], [[1.0]]])
def test_bad_replicates_are_refused(values: Any) -> None:
    for read in (percentile, lambda v: rescaled(0.0, v, 1.0)):
        with pytest.raises(ValueError, match="replicates must be"):
            read(values)
    with pytest.raises(ValueError, match="confidence"):
        percentile([0.5], 1.0)
