"""The network that an attacker trains to take cloaks off."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import torch

from bench import channels
from bench.channels import denoiser
from bench.machine.workers import each


def faces(first: int, people: int, each: int) -> list[np.ndarray]:
    """Photos of invented people."""
    data = importlib.import_module("bench.datasets.synthetic").Synthetic(people=first + people).open(None)
    found = data.catalogue()
    wanted = [
        [n for n, who in zip(found.photos, found.identities, strict=True) if who == person][:each]
        for person in sorted(set(found.identities))[first : first + people]
    ]
    photos: list[np.ndarray] = data.read([name for names in wanted for name in names])
    return photos


def cloak(photos: list[np.ndarray], seed: int) -> list[np.ndarray]:
    """Noise of one sign or the other at every value: L-infinity 8."""
    rng = np.random.default_rng(seed)
    return [np.clip(p + 8 * rng.choice([-1, 1], p.shape), 0, 255).astype(np.uint8) for p in photos]


def error(photos: list[np.ndarray], clean: list[np.ndarray]) -> float:
    return float(np.mean([((a.astype(float) - b) ** 2).mean() for a, b in zip(photos, clean, strict=True)]))


def psnr(photos: list[np.ndarray], clean: list[np.ndarray]) -> float:
    return float(10 * np.log10(255**2 / error(photos, clean)))


@pytest.mark.slow
def test_it_takes_cloaks_off_people_it_has_never_seen() -> None:
    seen, unseen = faces(0, 4, 4), faces(4, 2, 3)
    state = denoiser.train(seen, cloak(seen, 0), seed=0, steps=60)
    released = cloak(unseen, 1)
    purify = channels.with_state(channels.parse("denoiser:60"), state)
    purified = [purify(photo) for photo in released]
    assert psnr(released, unseen) < 31
    assert psnr(purified, unseen) > psnr(released, unseen) + 1  # dB
    # clean photos lose less than the cloak had cost
    assert error([purify(photo) for photo in unseen], unseen) < 0.5 * error(released, unseen)


def test_without_a_step_it_changes_nothing() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (31, 50, 3), dtype=np.uint8)
    state = denoiser.train([photo], [255 - photo], seed=0, steps=0)
    np.testing.assert_array_equal(denoiser.apply(state, photo), photo)


@pytest.fixture(scope="module")
def state() -> bytes:
    """Of two steps: enough to change something."""
    photo = np.random.default_rng(0).integers(0, 256, (60, 50, 3), dtype=np.uint8)
    return denoiser.train([photo], cloak([photo], 0), seed=0, steps=2)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 9), (48, 33)])
def test_any_size_goes_through(state: bytes, size: tuple[int, int]) -> None:
    photo = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    before = photo.copy()
    done = denoiser.apply(state, photo)
    assert (done.shape, done.dtype) == (photo.shape, np.uint8)
    assert done.flags.writeable
    np.testing.assert_array_equal(done, denoiser.apply(state, photo))
    np.testing.assert_array_equal(photo, before)


def test_tiles_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = np.random.default_rng(2).integers(0, 256, (97, 131, 3), dtype=np.uint8)
    state = denoiser.train([photo], cloak([photo], 0), seed=0, steps=12)
    whole = denoiser.apply(state, photo)
    assert (whole != photo).mean() > 0.1
    monkeypatch.setattr(denoiser, "TILE", 32)
    tiled = denoiser.apply(state, photo)
    # a sum in another order may round a value that lies between two levels the other way, here and there
    assert np.abs(tiled.astype(int) - whole).max() <= 1
    assert (tiled != whole).mean() < 1e-3


def test_small_photos_train_too() -> None:
    photo = np.random.default_rng(3).integers(0, 256, (3, 5, 3), dtype=np.uint8)
    assert denoiser.train([photo], cloak([photo], 0), seed=0, steps=1)


def test_the_seed_and_the_photos_decide_and_nothing_global() -> None:
    photo = np.random.default_rng(4).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    drawn = torch.random.get_rng_state()
    one = denoiser.train([photo], cloak([photo], 0), seed=1, steps=2)
    assert torch.equal(torch.random.get_rng_state(), drawn)
    torch.manual_seed(99)
    assert denoiser.train([photo], cloak([photo], 0), seed=1, steps=2) == one
    assert denoiser.train([photo], cloak([photo], 0), seed=2, steps=2) != one
    assert denoiser.train([photo], cloak([photo], 5), seed=1, steps=2) != one


def test_the_number_of_threads_does_not_matter() -> None:
    # a worker computes on one thread, and all that it starts runs right there; outside several share the work
    photo = np.random.default_rng(4).integers(0, 256, (40, 40, 3), dtype=np.uint8)

    def train(_: int) -> bytes:
        return denoiser.train([photo], [255 - photo], seed=1, steps=3)

    assert each(train, [0]) == [train(0)]


def test_pairs_that_are_none_are_refused() -> None:
    photo = np.zeros((8, 8, 3), np.uint8)
    for clean, cloaked in (([], []), ([photo], []), ([photo], [photo[:4]])):
        with pytest.raises(ValueError, match="for each, a cloaked one of its size"):
            denoiser.train(clean, cloaked, seed=0)


def test_every_step_is_told() -> None:
    photo = np.zeros((40, 40, 3), np.uint8)
    told: list[int] = []
    denoiser.train([photo], [photo], seed=0, steps=3, advance=told.append)
    assert told == [1, 1, 1]


@pytest.mark.cuda
def test_a_gpu_trains_and_applies_alike_each_time() -> None:
    photo = np.random.default_rng(4).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    one, two = (denoiser.train([photo], cloak([photo], 0), seed=1, steps=5, device="cuda") for _ in "12")
    assert one == two
    done = denoiser.apply(one, photo, device="cuda")
    assert np.abs(done.astype(int) - denoiser.apply(one, photo)).max() <= 1
