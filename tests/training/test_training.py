"""Training the built-in encoders, with a handful of invented people and a network that learns in seconds."""

from __future__ import annotations

import hashlib
import json
import logging
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from bench.encoders.families.synth import card_of
from bench.encoders.families.synth.nets import ConvUnit, Head
from bench.faces import align
from bench.training import __main__ as command
from bench.training import loop
from bench.training.augment import augment
from bench.training.crops import BIAS, cut, mistaken
from bench.training.figures import verification
from bench.training.loop import Recipe, Report, affordable, train
from bench.training.photos import Order, Photos, draw, population, training_population
from bench.types import ARCFACE_CROP

PEOPLE, EACH = 6, 5


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Photos:
    order = Order(training_population("synth-ir")[0], PEOPLE, EACH)
    return draw(order, tmp_path_factory.mktemp("drawn") / "train")


def small_net() -> nn.Module:
    """The same kinds of layers as the shipped networks, a hundredth of the work."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return nn.Sequential(
            ConvUnit(3, 8, 3, 4), ConvUnit(8, 16, 3, 4), nn.AvgPool2d(2), nn.Flatten(), Head(144)
        )


def trained(photos: Photos, recipe: Recipe, seed: int = 0) -> tuple[nn.Module, Report]:
    net = small_net()
    return net, train(net, photos, recipe, seed=seed, device="cpu")


def same(one: nn.Module, other: nn.Module) -> bool:
    a, b = one.state_dict(), other.state_dict()
    return all(torch.equal(value, b[key]) for key, value in a.items())


def test_photos_are_of_the_encoders_own_people(photos: Photos) -> None:
    own = training_population("synth-ir")
    assert photos.identities == (own[0], own[PEOPLE - 1])
    assert photos.people.tolist() == [who for who in range(PEOPLE) for _ in range(EACH)]
    assert photos.pixels.shape[0] == photos.landmarks.shape[0] == PEOPLE * EACH
    assert not set(own) & set(training_population("synth-inc"))
    assert not set(own) & set(population("test"))


def test_photos_that_were_kept_are_found_again_but_only_the_same(tmp_path: Path) -> None:
    first, said = training_population("synth-ir")[0], list[str]()
    drawn = draw(Order(first, 2, 2), tmp_path, report=said.append)
    pixels = drawn.pixels.copy()
    found = draw(Order(first, 2, 2), tmp_path, report=said.append)
    assert np.array_equal(found.pixels, pixels)
    assert np.array_equal(found.landmarks, drawn.landmarks)
    other = draw(Order(first + 1, 2, 2), tmp_path, report=said.append)
    assert np.array_equal(other.pixels[:2], pixels[2:])
    assert [line.split()[0] for line in said] == ["drew", "found", "drew"]


def test_loss_falls(photos: Photos, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_EVERY", 10)
    # guessing among 6 people costs log 6 = 1.79; the margin is off, since it would raise the loss meanwhile
    _, done = trained(photos, Recipe(steps=40, batch=16, margin=0.0))
    assert len(done.losses) == 4
    assert done.losses[-1] < 0.5 * done.losses[0]
    assert done.losses[-1] < 0.7 * math.log(PEOPLE)
    assert (done.steps, done.samples, done.shortened) == (40, 40 * 16, False)


def test_the_same_seed_gives_the_same_weights(photos: Photos) -> None:
    recipe = Recipe(steps=4, batch=8)
    first, again, other = (trained(photos, recipe, seed)[0] for seed in (0, 0, 1))
    assert same(first, again)
    assert not same(first, other)


def test_training_leaves_the_global_generator_alone(photos: Photos) -> None:
    before = torch.random.get_rng_state()
    trained(photos, Recipe(steps=1, batch=8))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_loss_that_is_not_finite_ends_the_training(photos: Photos) -> None:
    with pytest.raises(FloatingPointError, match="after 8 steps"):
        trained(photos, Recipe(steps=8, batch=8, rate=math.inf))


@pytest.mark.parametrize(
    ("step", "planned", "left", "pace", "steps"),
    [
        (100, 1000, 90.0, 0.1, 1000),  # 900 steps are left and 90 s are enough for 900
        (100, 1000, 45.0, 0.1, 550),
        (100, 1000, 1000.0, 0.1, 1000),  # never more than planned
        (100, 1000, 0.0, 0.1, 100),
        (100, 1000, -5.0, 0.1, 100),  # nor fewer than are done
    ],
)
def test_affordable_steps(step: int, planned: int, left: float, pace: float, steps: int) -> None:
    assert affordable(step, planned, left, pace) == steps


def test_the_clock_shortens_the_schedule(photos: Photos, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(1000))
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: float(next(ticks))))
    monkeypatch.setattr(loop, "_EVERY", 10)
    # this clock moves on by a second when it is looked at: at 0 and 1 before the first step, at 2 after
    # 10 steps. 4 seconds then leave 2, and at 10 steps a second that is 20 more steps: 30 in all.
    _, done = trained(photos, Recipe(steps=60, minutes=4 / 60, batch=8))
    assert (done.steps, done.samples, done.shortened) == (30, 240, True)


def test_a_shortened_schedule_still_ends_at_a_rate_of_zero() -> None:
    for steps in (30, 4000):
        rates = [loop._pace(step, steps) for step in range(steps)]
        assert max(rates) == pytest.approx(1, abs=0.01)
        assert rates[-1] < 0.01
        assert loop._pace(steps, steps) == pytest.approx(0, abs=1e-12)


def test_crops_are_those_the_benchmark_cuts(photos: Photos) -> None:
    pixels, landmarks = torch.from_numpy(photos.pixels[:4].copy()), torch.from_numpy(photos.landmarks[:4])
    maps = [align.similarity(points, ARCFACE_CROP.template) for points in landmarks.numpy()]
    expected = align.warp(pixels.permute(0, 3, 1, 2).float() / 255, maps, ARCFACE_CROP.size)
    torch.testing.assert_close(cut(pixels, landmarks).contiguous(), expected, atol=2e-4, rtol=0)


def test_landmarks_err_as_a_detector_does() -> None:
    # mean of the strengths 1/2 to 3/2 is 1: over many faces the mean error is the measured one
    generator = torch.Generator().manual_seed(0)
    errors = mistaken(torch.zeros(20_000, 5, 2), generator)
    torch.testing.assert_close(errors.mean(0), torch.tensor(BIAS), atol=0.1, rtol=0)


def test_spoiled_crops_stay_in_range_and_depend_on_the_seed_alone() -> None:
    crops = torch.rand(16, 3, 112, 112, generator=torch.Generator().manual_seed(0))

    def spoiled(seed: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        return augment(crops.clone(), generator, np.random.Generator(np.random.Philox(seed)))

    assert spoiled(1).min() >= 0
    assert spoiled(1).max() <= 1
    assert torch.equal(spoiled(1), spoiled(1))
    assert not torch.equal(spoiled(1), spoiled(2))


def test_figures_of_a_perfect_and_of_a_blind_encoder() -> None:
    people = np.repeat(np.arange(8), 4)
    perfect, blind = np.eye(8, dtype=np.float32)[people], np.ones((32, 1), np.float32)
    # 8 x 4 photos have 496 - 48 = 448 impostor pairs: enough for a FAR of 1e-2, too few for 1e-3
    found = verification(perfect, people, perfect, people)
    assert (found["auc"], found["eer"], found["tar_far_1e2"]) == (1, 0, 1)
    assert math.isnan(found["tar_far_1e3"])
    found = verification(blind, people, blind, people)
    assert (found["auc"], found["tar_far_1e2"]) == (0.5, 0)


def test_thresholds_come_from_the_validation_people() -> None:
    # the test people are told apart without an error, but validation's impostors look all the same: no
    # threshold that they allow accepts anybody
    people = np.repeat(np.arange(8), 4)
    perfect, blind = np.eye(8, dtype=np.float32)[people], np.ones((32, 1), np.float32)
    found = verification(blind, people, perfect, people)
    assert (found["auc"], found["tar_far_1e2"]) == (1, 0)


@pytest.mark.slow
def test_the_command_writes_weights_and_a_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)  # the command sets it: put it back
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)
    asked = "--encoder synth-vit --identities 3 --photos 3 --steps 2 --batch 8 --test-people 3"
    assert command.main([*asked.split(), "--out", str(tmp_path)]) == 0
    path, weights = tmp_path / "synth-vit.json", tmp_path / "synth-vit.safetensors"
    assert sorted(tmp_path.iterdir()) == [path, weights]
    card, stated = card_of(path), json.loads(path.read_text("utf-8"))
    assert card.sha256 == hashlib.sha256(weights.read_bytes()).hexdigest()
    first = training_population("synth-vit")[0]
    assert card.training_set == f"synthetic faces {first}-{first + 2}"
    assert stated["training_identities"] == [first, first + 2]
    assert stated["training"]["samples"] == 16
    assert not stated["training"]["clock_shortened_the_schedule"]
    assert stated["measured"] == {}  # only `evaluate` fills it
    assert 0 <= stated["training"]["figures_at_end"]["auc"] <= 1
