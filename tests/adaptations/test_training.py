"""Training a network further: what adversarial training is, and that threads do not reach the weights."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from bench.adaptations.head import train_head
from bench.adaptations.methods import Adversarial, FineTune, Head
from bench.adaptations.robustness import LEAST, MOST, accuracies, held_out
from bench.adaptations.training import drawn, perturbed, train_network
from bench.types import Labels

SIDE = 8


def two_people(photos: int, seed: int) -> tuple[torch.Tensor, Labels]:
    """Two people who differ in brightness, which is right in nine photos of ten, and in a faint pattern.

    The pattern of 2/255 always tells them apart, and a perturbation of 4/255 takes it away. Brightness stands
    such a perturbation.
    """
    draw = np.random.default_rng(seed)
    people = np.arange(photos) % 2
    sign = 2.0 * people - 1
    misleading = np.where(draw.random(photos) < 0.1, -1.0, 1.0)
    board = np.indices((SIDE, SIDE)).sum(0) % 2 * 2.0 - 1
    pixels = 0.5 + 0.1 * (sign * misleading)[:, None, None, None] * np.ones((photos, 3, SIDE, SIDE))
    pixels += 2 / 255 * sign[:, None, None, None] * board
    pixels += 0.003 * draw.standard_normal(pixels.shape)
    return torch.from_numpy(pixels).float().clamp(0, 1), people.astype(np.int64)


class Features(nn.Module):
    """Brightness and the faint pattern, both as loud."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        board = torch.from_numpy(np.indices((SIDE, SIDE)).sum(0) % 2 * 2.0 - 1).float()
        bright, pattern = (x - 0.5).mean((1, 2, 3)), (x * board).mean((1, 2, 3))
        return torch.stack([10 * bright, 128 * pattern, torch.ones_like(bright)], 1)


def small() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(Features(), nn.Linear(3, 8))


STEPS, RATE = 100, 3e-2


def test_adversarial_training_makes_a_network_robust_and_fine_tuning_does_not() -> None:
    crops, people = two_people(80, 0)
    unseen, owners = two_people(80, 1)
    adversarial = Adversarial(STEPS, RATE, radius=4.0, inner=3)
    against = {
        "adversarial": train_network(small(), crops, people, adversarial, seed=0),
        "finetune": train_network(small(), crops, people, FineTune(STEPS, RATE), seed=0),
    }
    named = {name: accuracies(net, unseen, owners, adversarial, seed=3) for name, net in against.items()}
    assert named["finetune"][0] > 0.95  # the faint pattern is always right
    assert named["finetune"][1] < 0.3
    assert named["adversarial"][1] > named["finetune"][1] + 0.4
    assert named["adversarial"][2] == 40  # half of each person's photos is enrolled


def test_half_of_every_batch_is_perturbed_within_the_radius() -> None:
    crops, people = two_people(30, 0)
    shown: list[torch.Tensor] = []

    class Watched(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = small()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if torch.is_grad_enabled() and not x.requires_grad:
                shown.append(x.detach())
            out: torch.Tensor = self.network(x)
            return out

    how = Adversarial(steps=4, batch=20, radius=6.0, inner=2)
    train_network(Watched(), crops, people, how, seed=0)
    far = torch.cat([(x[:, None] - crops[None]).abs().amax((2, 3, 4)).amin(1) for x in shown])
    clean = int((far == 0).sum())
    assert (len(far), clean) == (4 * 20, 4 * 10)
    moved = far[far > 0]
    assert float(moved.max()) <= 6 / 255 + 1e-6
    assert float(moved.min()) > 0.5 * 6 / 255  # the search ends at the edge for most of them


@settings(max_examples=20)
@given(radius=st.floats(0.5, 32), inner=st.integers(1, 6), seed=st.integers(0, 99))
def test_a_perturbation_takes_a_crop_away_from_its_person(radius: float, inner: int, seed: int) -> None:
    crops, people = two_people(12, seed)
    network, truth = small(), torch.from_numpy(people)
    with torch.no_grad():
        rows = nn.functional.normalize(network(crops))
        centres = torch.stack([rows[truth == person].mean(0) for person in (0, 1)])
    start = drawn(crops, torch.Generator().manual_seed(seed))
    how = Adversarial(radius=radius, inner=inner)
    moved = perturbed(network, crops, truth, centres, how, start)
    assert float((moved - crops).abs().max()) <= radius / 255 + 1e-6
    assert 0 <= float(moved.min()) <= float(moved.max()) <= 1

    def own(x: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return (nn.functional.normalize(network(x)) * nn.functional.normalize(centres)[truth]).sum(1)

    assert float(own(moved).mean()) < float(own(crops).mean())


@settings(max_examples=100)
@given(st.lists(st.integers(0, 40), max_size=300))
def test_held_out_people_have_two_photos_and_leave_enough(people: list[int]) -> None:
    owners = np.array(people, np.int64)
    held = held_out(owners)
    names, counts = np.unique(owners, return_counts=True)
    several = set(names[counts >= 2])
    out = set(owners[held])
    assert out <= several
    assert not out & set(owners[~held])  # all photos of them, or none
    assert (len(out) == 0) == (len(several) < LEAST)
    assert len(out) in (0, min(MOST, max(2, len(several) // 5)))


@pytest.mark.parametrize("how", [FineTune(steps=3, rate=1e30), Adversarial(steps=3, rate=1e30)])
def test_a_training_that_goes_astray_says_so(how: FineTune | Adversarial) -> None:
    crops, people = two_people(12, 0)
    crops[3] = float("nan")
    with pytest.raises(FloatingPointError, match=r"its (loss is|weights are)"):
        train_network(small(), crops, people, how, seed=0)


def test_a_head_that_goes_astray_says_so() -> None:
    rows = np.eye(8, dtype=np.float32)
    rows[2] = np.nan
    with pytest.raises(FloatingPointError, match="not finite"):
        train_head(rows, np.arange(8) % 2, Head(steps=2), seed=0)


_DIGESTS = """
import hashlib, numpy as np, torch
from torch import nn
from bench.adaptations.ensembles import Mean, product
from bench.adaptations.head import train_head
from bench.adaptations.methods import Adversarial, FineTune, Head, Whiten
from bench.adaptations.networks import stored
from bench.adaptations.robustness import accuracies
from bench.adaptations.training import train_network
from bench.adaptations.weights import fit_weights
from bench.adaptations.whitening import Whitening
draw = np.random.default_rng(0)
people = np.arange(60) % 12
crops = torch.from_numpy(draw.random((60, 3, 56, 56), np.float32))
def network():
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 32, 3, 2), nn.PReLU(32), nn.Conv2d(32, 64, 3, 2), nn.PReLU(64)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 13 * 13, 256))
seen = hashlib.sha256()
for how in (FineTune(steps=3), Adversarial(steps=3, inner=2)):
    trained = train_network(network(), crops, people, how, seed=0)
    seen.update(stored(trained))
seen.update(repr(accuracies(trained, crops, people, how, seed=0)).encode())
rows = [draw.standard_normal((600, 512), np.float32) for _ in range(2)]
seen.update(train_head(rows[0], np.arange(600) % 30, Head(steps=5, dimensions=200), seed=0).tobytes())
mean = Mean.fitted(rows)
seen.update(mean(rows).tobytes() + product(rows[0], rows[1].T.copy()).tobytes())
owners, cloaked = np.arange(600) % 30, np.arange(600) % 4 < 2
for method in ("wccn", "lda", "pca"):
    seen.update(Whitening.fitted(rows[0], owners, cloaked, Whiten(method))(rows[1]).tobytes())
seen.update(fit_weights(rows, owners, cloaked).tobytes())
print(seen.hexdigest())
"""


@pytest.mark.slow
def test_threads_do_not_reach_what_is_learned() -> None:
    def digest(openmp: int, blas: int) -> str:
        threads = {"OMP_NUM_THREADS": openmp, "MKL_NUM_THREADS": blas, "OPENBLAS_NUM_THREADS": blas}
        variables = os.environ | {name: str(count) for name, count in threads.items()}
        command = [sys.executable, "-c", _DIGESTS]
        done = subprocess.run(command, env=variables, check=True, stdout=subprocess.PIPE, timeout=600)
        return done.stdout.decode()

    assert len({digest(1, 1), digest(2, 2), digest(3, 1), digest(1, 2)}) == 1
