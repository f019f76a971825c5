"""Training as long as it pays: when it ends, and which weights are kept."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from torch import nn

from bench.adaptations.stopping import MOST, PATIENCE, ROUND, told_apart, train_while_it_pays


class Counter(nn.Module):
    """A network whose one weight is the number of steps that it was trained for."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = nn.Parameter(torch.zeros(1), requires_grad=False)

    def train_on(self, steps: int) -> None:
        self.steps.data += steps


@settings(max_examples=200)
@given(st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.4]), min_size=MOST + 1, max_size=MOST + 1))
def test_it_ends_when_it_no_longer_pays_and_keeps_the_first_best(scores: list[float]) -> None:
    network = Counter()
    curve = train_while_it_pays(network, network.train_on, lambda: scores[int(network.steps.item()) // ROUND])
    looks = len(curve.steps)
    assert curve.steps == [ROUND * look for look in range(looks)]
    assert curve.score == scores[:looks]
    best = curve.score.index(max(curve.score))
    assert curve.kept == ROUND * best == int(network.steps.item())
    # every earlier moment had a better score within its last rounds; the end had none, or was the last
    for look in range(looks - 1):
        assert look - scores[: look + 1].index(max(scores[: look + 1])) < PATIENCE
    assert looks - 1 - best == PATIENCE or looks == MOST + 1


def test_a_training_that_only_harms_leaves_the_network_as_it_was() -> None:
    network = Counter()
    curve = train_while_it_pays(network, network.train_on, lambda: 1 - network.steps.item() / 1000)
    assert (curve.kept, int(network.steps.item())) == (0, 0)
    assert len(curve.score) == 1 + PATIENCE


@pytest.mark.parametrize("seed", range(3))
def test_the_score_is_the_area_under_the_roc_curve_over_pairs(seed: int) -> None:
    torch.manual_seed(seed)
    crops, people = torch.rand(30, 3, 4, 4), np.arange(30) % 7
    network = nn.Sequential(nn.Flatten(), nn.Linear(48, 5))
    with torch.no_grad():
        rows = nn.functional.normalize(network(crops)).double().numpy()
    first, second = np.triu_indices(30, 1)
    expected = roc_auc_score(people[first] == people[second], (rows @ rows.T)[first, second])
    assert told_apart(network, crops, people) == pytest.approx(expected, abs=1e-6)
    same = torch.ones(30, 3, 4, 4)  # photos that are all alike are told apart by chance
    assert told_apart(network, same, people) == pytest.approx(0.5)
