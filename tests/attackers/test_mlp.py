"""The network: seeded, no worse than scikit-learn's, and able to do what a linear one cannot."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from planted import known_people
from sklearn.neural_network import MLPClassifier

from bench import registry
from bench.errors import UserError
from bench.types import Gallery

Mlp = registry.load("attackers", "mlp")


def test_it_names_as_many_as_scikit_learns() -> None:
    # Two networks that start elsewhere are not the same network: their rates are compared, over 160 probes,
    # of which each misses some. Ten points are two and a half standard errors of a rate of .5.
    rows, owners = known_people(20, 16, spread=1.4)
    half = np.arange(owners.size) % 2 == 0
    theirs = MLPClassifier((64,), learning_rate_init=3e-3, batch_size=128, max_iter=60, random_state=0, tol=0)
    theirs.fit(rows[half] * 24**0.5, owners[half])
    expected = theirs.score(rows[~half] * 24**0.5, owners[~half])
    ranked = Mlp(width=64, epochs=60).rank(rows[~half], Gallery(rows[half], owners[half]), 1)[:, 0]
    assert 0.3 < expected < 0.95
    assert (ranked == owners[~half]).mean() > expected - 0.1


def test_it_separates_what_no_line_does() -> None:
    # Person 0 is at 0 and 180 degrees, person 1 at 90 and 270.
    angle = np.radians([0, 180, 90, 270, 5, 175, 95, 265])
    rows = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    ranked = Mlp(width=64, epochs=300).rank(rows[4:], Gallery(rows[:4], np.array([0, 0, 1, 1])), 1)[:, 0]
    assert ranked.tolist() == [0, 0, 1, 1]


def test_the_seed_decides_and_the_global_state_does_not() -> None:
    rows, owners = known_people(12, 4, spread=1.5)
    gallery = Gallery(rows[:36], owners[:36])
    attacker = Mlp(width=16, epochs=3)
    torch.manual_seed(1)
    once = attacker.rank(rows[36:], gallery, 12)
    torch.manual_seed(2)
    assert np.array_equal(once, attacker.rank(rows[36:], gallery, 12))
    assert not np.array_equal(once, Mlp(width=16, epochs=3, seed=1).rank(rows[36:], gallery, 12))


def test_training_leaves_the_global_state_alone() -> None:
    rows, owners = known_people(4, 4, spread=0.5)
    before = torch.get_rng_state()
    Mlp(width=4, epochs=1).rank(rows, Gallery(rows, owners), 1)
    assert torch.equal(before, torch.get_rng_state())


def test_the_width_is_tuned_or_stays_as_it_was_given() -> None:
    rows, owners = known_people(20, 4, spread=1.0)
    assert Mlp(grid=(2, 64)).calibrated(rows, owners).width == 64  # two units cannot tell twenty people apart
    assert Mlp(width=8).calibrated(rows, owners) == Mlp(width=8)


def test_nonsense_is_refused() -> None:
    rows, owners = known_people(3, 3, spread=0.5)
    for given, line in (
        ({"width": 0}, "width 0 is below 1"),
        ({"grid": ()}, "grid 0 is below 1"),
        ({"epochs": 0}, "epochs 0 is below 1"),
        ({"decay": -1.0}, "decay -1.0 must be 0 or more"),
    ):
        with pytest.raises(UserError, match=line):
            Mlp(**given).check()
    with pytest.raises(ValueError, match="mlp is not tuned yet"):
        Mlp().rank(rows, Gallery(rows, owners), 1)
