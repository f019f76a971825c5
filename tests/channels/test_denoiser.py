"""The network that an attacker trains to take cloaks off."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import torch

from bench import channels
from bench.channels import denoiser
from bench.channels.denoiser_networks import NETWORKS
from bench.channels.learned import SIZES
from bench.machine.workers import each

BOTH = pytest.mark.parametrize("size", SIZES)


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
@BOTH
def test_it_takes_cloaks_off_people_it_has_never_seen(size: str) -> None:
    seen, unseen = faces(0, 4, 4), faces(4, 2, 3)
    state = denoiser.train(seen, cloak(seen, 0), seed=0, steps=60, size=size)
    released = cloak(unseen, 1)
    purify = channels.with_state(channels.parse(f"denoiser:60:{size}"), state)
    purified = [purify(photo) for photo in released]
    assert psnr(released, unseen) < 31
    assert psnr(purified, unseen) > psnr(released, unseen) + 1  # dB
    # clean photos lose less than the cloak had cost
    assert error([purify(photo) for photo in unseen], unseen) < 0.5 * error(released, unseen)


@BOTH
def test_without_a_step_it_changes_nothing(size: str) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (31, 50, 3), dtype=np.uint8)
    state = denoiser.train([photo], [255 - photo], seed=0, steps=0, size=size)
    np.testing.assert_array_equal(denoiser.apply(state, photo, size=size), photo)


@pytest.fixture(scope="module")
def states() -> dict[str, bytes]:
    """Of two steps: enough to change something."""
    photo = np.random.default_rng(0).integers(0, 256, (60, 50, 3), dtype=np.uint8)
    return {size: denoiser.train([photo], cloak([photo], 0), seed=0, steps=2, size=size) for size in SIZES}


@BOTH
@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (1, 9), (48, 33)])
def test_photos_of_any_size_go_through(states: dict[str, bytes], size: str, shape: tuple[int, int]) -> None:
    photo = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    before = photo.copy()
    done = denoiser.apply(states[size], photo, size=size)
    assert (done.shape, done.dtype) == (photo.shape, np.uint8)
    assert done.flags.writeable
    np.testing.assert_array_equal(done, denoiser.apply(states[size], photo, size=size))
    np.testing.assert_array_equal(photo, before)


def test_the_weights_of_the_large_network_are_twenty_times_as_many() -> None:
    weights = {name: sum(p.numel() for p in network().parameters()) for name, network in NETWORKS.items()}
    assert weights == {"small": 98_748, "large": 1_974_844}  # as docs/channels.md says
    assert tuple(NETWORKS) == SIZES


@BOTH
def test_a_result_depends_on_no_pixel_beyond_the_reach(size: str) -> None:
    net = NETWORKS[size]()
    assert net.reach % net.sides == denoiser.TILE % net.sides == 0
    for parameter in net.parameters():
        torch.nn.init.constant_(parameter, 1e-3)  # nothing cancels out, and no unit is off
    side = 2 * net.reach + 4 * net.sides
    furthest = 0
    for position in range(net.reach + net.sides, net.reach + 2 * net.sides):
        photo = torch.full((1, 3, side, side), 0.9, dtype=torch.float32, requires_grad=True)
        (gradient,) = torch.autograd.grad(net(photo)[0, :, position, position].sum(), photo)
        rows = gradient[0].abs().sum(0).nonzero()
        furthest = max(furthest, int((rows - position).abs().max()))
    assert net.reach - net.sides < furthest <= net.reach


@pytest.mark.parametrize(("size", "shape"), [("small", (97, 131)), ("large", (65, 235))])
def test_tiles_leave_no_seam(size: str, shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    photo = np.random.default_rng(2).integers(0, 256, (*shape, 3), dtype=np.uint8)
    state = denoiser.train([photo], cloak([photo], 0), seed=0, steps=12, size=size)
    whole = denoiser.apply(state, photo, size=size)
    assert (whole != photo).mean() > 0.1
    monkeypatch.setattr(denoiser, "TILE", 32)
    tiled = denoiser.apply(state, photo, size=size)
    # a sum in another order may round a value that lies between two levels the other way, here and there
    assert np.abs(tiled.astype(int) - whole).max() <= 1
    assert (tiled != whole).mean() < 1e-3


@BOTH
def test_small_photos_train_too(size: str) -> None:
    photo = np.random.default_rng(3).integers(0, 256, (3, 5, 3), dtype=np.uint8)
    assert denoiser.train([photo], cloak([photo], 0), seed=0, steps=1, size=size)


@BOTH
def test_the_seed_and_the_photos_decide_and_nothing_global(size: str) -> None:
    photo = np.random.default_rng(4).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    drawn = torch.random.get_rng_state()
    one = denoiser.train([photo], cloak([photo], 0), seed=1, steps=2, size=size)
    assert torch.equal(torch.random.get_rng_state(), drawn)
    torch.manual_seed(99)
    assert denoiser.train([photo], cloak([photo], 0), seed=1, steps=2, size=size) == one
    assert denoiser.train([photo], cloak([photo], 0), seed=2, steps=2, size=size) != one
    assert denoiser.train([photo], cloak([photo], 5), seed=1, steps=2, size=size) != one


@BOTH
def test_the_number_of_threads_does_not_matter(size: str) -> None:
    # a worker computes on one thread, and all that it starts runs right there; outside several share the work
    photo = np.random.default_rng(4).integers(0, 256, (40, 40, 3), dtype=np.uint8)

    def train(_: int) -> bytes:
        return denoiser.train([photo], [255 - photo], seed=1, steps=3, size=size)

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
