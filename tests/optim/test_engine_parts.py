"""The parts that a defense chooses of the engine, one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from bench.errors import UserError
from bench.metrics.perceptual import perceptual_cost
from bench.optim.gradients import WeighedPenalty
from bench.optim.limits import Bounds, bounds_of
from bench.optim.measures import SURROUND, dssim, squared_change
from bench.optim.patches import Stack, cut
from bench.optim.randomness import PhotoMoment, chances, photo_keys, uniforms
from bench.optim.region import face_region
from bench.optim.strongest import strongest
from bench.optim.surrogate import Dropped, Surrogate
from bench.optim.updates import needs_levels, update_of
from bench.optim.variations import variation_of
from bench.optim.warping import lattice
from bench.protocols import (
    Adam,
    Blur,
    Descent,
    Limit,
    Penalty,
    Pictures,
    Shuffles,
    SignSteps,
    Sizes,
    SquaredChange,
    TanhSpace,
    Turn,
    Warps,
)
from bench.types import ARCFACE_CROP, Album, Budget, EncoderCard, Face, Image

CPU = torch.device("cpu")
KEYS = photo_keys(7, ["a", "b", "c"])


def moment(copy: int = 0, part: int = 5, keys: torch.Tensor = KEYS) -> PhotoMoment:
    return PhotoMoment(keys, 0, copy, part, torch.zeros(len(keys), 5, 2))


# ---- random numbers


def test_numbers_belong_to_the_photo_and_not_to_its_company() -> None:
    together = uniforms(KEYS, (3, 1, 4), (2, 5))
    alone = uniforms(photo_keys(7, ["b"]), (3, 1, 4), (2, 5))
    assert torch.equal(together[1:2], alone)
    assert not torch.equal(together[0], together[1])
    for other in [
        uniforms(KEYS, (3, 1, 5), (2, 5)),
        uniforms(photo_keys(8, ["a", "b", "c"]), (3, 1, 4), (2, 5)),
    ]:
        assert not (together == other).any()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.999999])
def test_chances_belong_to_the_photo_and_happen_as_often_as_they_are_asked_to(share: float) -> None:
    together = chances(KEYS, (3, 1, 4), (3, 101, 101), share)
    assert torch.equal(together[1:2], chances(photo_keys(7, ["b"]), (3, 1, 4), (3, 101, 101), share))
    # the standard error of a share of 30,603 draws is .003 at most
    assert (together.double().mean((1, 2, 3)) - share).abs().max() < 0.015
    if share == 0.5:
        drawn = together.double().flatten(1) - 0.5
        for lag in (1, 2, 3, 4):
            assert (drawn[:, lag:] * drawn[:, :-lag]).mean(1).abs().max() < 0.006
        assert (together[0] != chances(KEYS, (3, 1, 5), (3, 101, 101), share)[0]).double().mean() > 0.45


def test_numbers_are_uniform_and_normal() -> None:
    drawn = moment().uniform(100_000).double()
    assert drawn.min() >= 0
    assert drawn.max() < 1
    # the standard error of the mean is 1 / sqrt(12 * 100,000) = .0009, that of neighbours' correlation .003
    assert (drawn.mean(1) - 0.5).abs().max() < 0.005
    assert (drawn.var(1) - 1 / 12).abs().max() < 0.002
    centred = drawn - 0.5
    assert ((centred[:, 1:] * centred[:, :-1]).mean(1) * 12).abs().max() < 0.015
    normal = moment().normal(100_000).double()
    assert normal.mean(1).abs().max() < 0.015
    assert (normal.std(1) - 1).abs().max() < 0.015
    assert normal.isfinite().all()


def test_every_call_draws_anew_and_every_moment_the_same() -> None:
    now = moment()
    first, second = now.uniform(4), now.uniform(4)
    assert not (first == second).any()
    assert torch.equal(moment().uniform(4), first)
    assert not (moment(copy=1).uniform(4) == first).any()
    assert not (moment(part=6).uniform(4) == first).any()


def test_sampling_is_bilinear_and_differentiable_towards_both() -> None:
    pixels = torch.rand(3, 2, 6, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    points = torch.rand(3, 4, 4, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 5
    assert torch.allclose(
        moment().sample(pixels, torch.full((3, 1, 1, 2), 2.0).double())[..., 0, 0], pixels[..., 2, 2]
    )
    inputs = (pixels.requires_grad_(True), points.requires_grad_(True))
    assert torch.autograd.gradcheck(lambda a, b: moment().sample(a, b), inputs)


# ---- measures and limits


def picture(photo: Image, face: Face, released: Image) -> Pictures:
    """One photo as the engine sees it."""
    patch = cut(photo, face, (), SURROUND)
    stack = Stack([0], [patch], (), CPU)
    height, width = patch.region.shape
    levels = stack.original.float()
    part = released[patch.top : patch.top + height, patch.left : patch.left + width]
    levels[0, :, :height, :width] = torch.from_numpy(part.transpose(2, 0, 1).astype(np.float32))
    return stack.pictures(torch.zeros(1, dtype=torch.int64), levels)


def noisy(photo: Image, face: Face, amplitude: int) -> Image:
    region = face_region(face, *photo.shape[:2])[:, :, None]
    levels = np.random.default_rng(0).integers(-amplitude, amplitude + 1, photo.shape)
    changed: Image = np.clip(photo + levels * region, 0, 255).astype(np.uint8)
    return changed


@pytest.mark.parametrize("amplitude", [1, 6, 60])
@pytest.mark.parametrize("shade", [None, 3, 255])
def test_dssim_is_what_the_budget_is_judged_by(users: list[Album], amplitude: int, shade: int | None) -> None:
    for photo, face in zip(users[0].photos, users[0].faces, strict=True):
        assert face is not None
        original = photo if shade is None else np.full_like(photo, shade)
        released = noisy(original, face, amplitude)
        cost = perceptual_cost(original, released, face)
        assert cost.face is not None
        judged = max(cost.whole.dssim, cost.face.dssim)
        assert float(dssim(picture(original, face, released))) == pytest.approx(judged, rel=3e-4)


def test_dssim_of_a_change_beside_the_box_is_that_of_the_photo(users: list[Album]) -> None:
    # the region is wider than the box: where only its rim changes, the whole photo is the worse of the two
    photo, face = users[0].photos[1], users[0].faces[1]
    assert face is not None
    small = Face((100, 100, 112, 112), face.landmarks, 0.9)
    released = noisy(photo, small, 40)
    released[90:122, 90:122] = photo[90:122, 90:122]
    cost = perceptual_cost(photo, released, small)
    assert cost.face is not None
    assert cost.face.dssim == 0 < cost.whole.dssim
    assert float(dssim(picture(photo, small, released))) == pytest.approx(cost.whole.dssim, rel=3e-4)


def test_an_unchanged_photo_has_no_dssim(users: list[Album]) -> None:
    photo, face = users[0].photos[0], users[0].faces[0]
    assert face is not None
    assert float(dssim(picture(photo, face, photo))) == 0


def blocks(levels: torch.Tensor, original: torch.Tensor) -> Pictures:
    """Pictures that are all region, as large as their photos."""
    n, _, height, width = levels.shape
    sides = torch.tensor([[height, width]]).expand(n, 2)
    boxes = torch.tensor([[0, 0, width, height]]).expand(n, 4)
    region = torch.ones(n, 1, height, width, dtype=torch.bool)
    return Pictures(levels, original, region, sides, sides, boxes, torch.zeros(n, 5, 2))


@settings(max_examples=25)
@given(
    amplitudes=st.lists(st.floats(0, 120), min_size=3, max_size=3),
    largest=st.floats(1e-4, 0.3),
    seed=st.integers(0, 2**16),
)
def test_a_change_is_made_smaller_until_it_is_within_the_limit(
    amplitudes: list[float], largest: float, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    original = torch.randint(0, 256, (3, 3, 24, 20), generator=generator).float()
    change = torch.randn((3, 3, 24, 20), generator=generator) * torch.tensor(amplitudes)[:, None, None, None]
    change = (original + change).clamp(0, 255) - original
    bounds = bounds_of(Budget("dssim", largest))

    def held(rows: list[int]) -> torch.Tensor:
        clean = original[rows]
        pictures = lambda some, levels: blocks(levels, clean[some])  # noqa: E731
        return bounds.shrink(change[rows].clone(), clean, pictures)

    out = held([0, 1, 2])
    before, after = (dssim(blocks(original + c.round(), original)) for c in (change, out))
    assert (after <= largest).all()
    fine = before <= largest * 0.999
    assert torch.equal(out[fine], change[fine])
    assert (after[before > largest] >= 0.5 * largest).all() or largest < 3e-3  # levels are whole numbers
    assert torch.equal(held([1]), out[1:2])  # alone as in company


@pytest.mark.parametrize(("budget", "largest"), [("linf:4.5", 4), ("linf:200", 30), ("unbounded", 30)])
def test_the_strongest_change_is_the_largest_share_that_is_allowed(
    users: list[Album], budget: str, largest: int
) -> None:
    photo, face = np.full_like(users[0].photos[0], 100), users[0].faces[0]
    assert face is not None
    region = face_region(face, *photo.shape[:2])[:, :, None]

    def brighter(share: float) -> Image:
        brightened: Image = photo + (np.floor(30 * share) * region).astype(np.uint8)
        return brightened

    out = strongest(cut(photo, face, (), SURROUND), bounds_of(Budget.parse(budget)), brighter)
    assert int((out - photo).max()) == largest


def test_budgets_become_bounds() -> None:
    assert bounds_of(Budget.parse("linf:4.5")) == Bounds(4)
    assert bounds_of(Budget.parse("unbounded")) == Bounds(None)
    assert bounds_of(Budget.parse("unbounded")).limit == math.inf
    assert bounds_of(Budget.parse("dssim:0.02")).measured == ((dssim, 0.02),)
    ((measure, largest),) = bounds_of(Budget.parse("ssim:0.95")).measured
    assert (measure, largest) == (dssim, pytest.approx(0.025))
    own = bounds_of(Budget.parse("linf:16"), [Limit(SquaredChange(), 3.0)])
    assert own == Bounds(16, ((squared_change, 3.0),))


# ---- updates


def turn(taken: int, steps: int = 10, limit: float = 8.0) -> Turn:
    low, high = torch.full((2, 3, 4, 4), -100.0), torch.full((2, 3, 4, 4), 155.0)
    return Turn(steps, torch.full((2, 1, 1, 1), float(taken)), limit, lambda: (low, high))


def walked(update: object, steps: int) -> torch.Tensor:
    """From zero towards the middle of (value - target)^2."""
    rule = update_of(Descent(update=update))  # type: ignore[arg-type]  # any of the ready-made ones
    values, target = torch.zeros(2, 3, 4, 4), torch.linspace(-30, 30, 96).view(2, 3, 4, 4)
    memory = [torch.zeros_like(values) for _ in range(rule.memory)]
    for step in range(1, steps + 1):
        rule.absorb(values, 2 * (values - target), memory, turn(step))
        values = rule.step(values, memory, turn(step))
    return values


def test_adam_is_adam() -> None:
    variable = torch.zeros(2, 3, 4, 4, requires_grad=True)
    theirs = torch.optim.Adam([variable], lr=1.5, betas=(0.8, 0.99), eps=1e-6)
    target = torch.linspace(-30, 30, 96).view(2, 3, 4, 4)
    for _ in range(6):
        theirs.zero_grad()
        (variable - target).square().sum().backward()
        theirs.step()
    torch.testing.assert_close(walked(Adam(1.5, 0.8, 0.99, 1e-6), 6), variable.detach())


def test_tanh_space_is_a_change_of_variables() -> None:
    # values lie between -100 and 155: 27.5 + 127.5 tanh w
    start = torch.full((2, 3, 4, 4), -27.5 / 127.5).atanh()
    w = start.clone().requires_grad_(True)
    theirs = torch.optim.Adam([w], lr=0.05)
    target = torch.linspace(-30, 30, 96).view(2, 3, 4, 4)
    for _ in range(6):
        theirs.zero_grad()
        (27.5 + 127.5 * w.tanh() - target).square().sum().backward()
        theirs.step()
    expected = 27.5 + 127.5 * w.detach().tanh()
    torch.testing.assert_close(walked(TanhSpace(Adam(0.05)), 6), expected, rtol=1e-3, atol=1e-3)


def test_sign_steps_are_parts_of_the_budget() -> None:
    # 3 of 10 steps of 2.5 budgets of 8 levels: 2 levels each; where the target is nearer, it turns
    values = walked(SignSteps(2.5, 0.0), 3)
    assert set(values.abs().unique().tolist()) <= {2.0, 6.0}
    assert values[0, 0, 0, 0] == -6
    assert values[1, 2, 3, 3] == 6


def test_sign_steps_need_levels() -> None:
    assert needs_levels(Descent())
    assert needs_levels(Descent(update=Adam(), random_start=True))
    assert not needs_levels(Descent(update=TanhSpace(Adam()), start=2))


# ---- penalties


def test_a_penalty_counts_the_excess_and_its_weight_follows_each_photo() -> None:
    original = torch.full((3, 3, 12, 12), 100.0)
    change = torch.tensor([0.0, 2.55, 5.1])[:, None, None, None]  # 0, .01 and .02 of each of 432 values
    weighed = WeighedPenalty(Penalty(SquaredChange(), 3.0, beyond=0.1, power=2, adapt=2), 3, CPU)
    places = torch.arange(3)
    for weights in ([3.0, 3.0, 3.0], [1.5, 1.5, 6.0], [0.75, 0.75, 12.0]):
        levels = (original + change).requires_grad_(True)
        slope = weighed.slope(blocks(levels, original), places)
        # sums of squares: 0, .0432 and .1728; only the last exceeds .1, by .0728
        assert slope[:2].abs().max() == 0
        by_hand = weights[2] * 2 * 0.0728 * 2 * 0.02 / 255
        assert slope[2].mean().item() == pytest.approx(by_hand, rel=1e-3)


def test_dssim_can_be_descended() -> None:
    original = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(0)).mul(255).round()
    levels = original + 20 * torch.randn(1, 3, 24, 24, generator=torch.Generator().manual_seed(1))
    before = dssim(blocks(levels, original))
    for _ in range(5):
        leaf = levels.detach().requires_grad_(True)
        (slope,) = torch.autograd.grad(dssim(blocks(leaf, original)).sum(), leaf)
        levels = levels - 10 * slope / slope.abs().max()
    assert dssim(blocks(levels, original)) < 0.9 * before


# ---- variations


def pixels_of_a_crop(side: int) -> torch.Tensor:
    return lattice(side, torch.zeros(1)).view(1, side, side, 2).expand(3, side, side, 2)


def test_a_smaller_face_stays_in_its_frame() -> None:
    points = pixels_of_a_crop(112)
    seen = variation_of(Sizes(1.5, share=1)).points(points, moment())
    for own in seen:
        # where the corners of the face land: f (p - offset) = 0 and 112
        factor = float(own[0, 1, 0] - own[0, 0, 0])
        assert 1 <= factor <= 1.5
        start = -own[0, 0] / factor
        assert (start >= 0).all()
        assert (start + 112 / factor <= 112 + 1e-3).all()
    assert torch.equal(variation_of(Sizes(1.5, share=0)).points(points, moment()), points)
    third = variation_of(Sizes(1.5, share=1 / 3))
    keys = photo_keys(0, [str(i) for i in range(600)])
    many = third.points(points[:1].expand(600, 112, 112, 2), moment(keys=keys))
    assert 0.25 < float((many != points[:1]).any(3).any(2).any(1).float().mean()) < 0.42


def test_a_warp_is_smooth_and_as_strong_as_it_says() -> None:
    keys = photo_keys(0, [str(i) for i in range(300)])
    points = pixels_of_a_crop(48)[:1].expand(300, 48, 48, 2)
    moved = variation_of(Warps(0.02, mesh=4)).points(points, moment(keys=keys)) - points
    assert float(moved[:, 0, 0].std()) == pytest.approx(0.02 * 48, rel=0.1)  # a corner is a point of the mesh
    assert float((moved[:, 1:] - moved[:, :-1]).abs().max()) < 0.5  # neighbours stay neighbours


def test_blocks_are_shuffled_and_none_is_lost() -> None:
    points = pixels_of_a_crop(10)
    keys = photo_keys(0, [str(i) for i in range(50)])
    seen = variation_of(Shuffles(3)).points(points[:1].expand(50, 10, 10, 2), moment(keys=keys))
    for own in seen:
        assert {(int(x), int(y)) for x, y in own.flatten(0, 1)} == {
            (x, y) for x in range(10) for y in range(10)
        }
        assert (own[9, :, 1] == 9).all()  # the row that is left over
    assert len({tuple(own[0, :, 0].tolist()) for own in seen}) == 6  # all orders of three columns


def test_a_blurred_twin_is_the_last_of_its_copies() -> None:
    levels = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 255
    twin = variation_of(Blur(2.0, every=2))
    sharp, blurred = (twin.photo(levels, moment(copy=copy)) for copy in (0, 1))
    assert torch.equal(sharp, levels)
    assert blurred[:, :, 6:10, 6:10].std() < 0.5 * levels[:, :, 6:10, 6:10].std()


# ---- dropout


class Plain:
    """Two convolutions that pass what they get, averaged: the embedding of ones is ones."""

    card = EncoderCard("plain", "plain", "none", ARCFACE_CROP, 3, 0, "", "", "", "0")
    runtime = "torch"

    def twin(self) -> nn.Module:
        layers = [nn.Conv2d(3, 3, 1, groups=3, bias=False) for _ in range(2)]
        for layer in layers:
            nn.init.ones_(layer.weight)
        return nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.AdaptiveAvgPool2d(1), nn.Flatten())

    def embed(self, crops: torch.Tensor) -> torch.Tensor:
        return F.normalize(self.twin()(crops), dim=1)


def test_dropout_leaves_a_share_out_and_keeps_the_mean() -> None:
    surrogate = Surrogate(Plain(), CPU, "fp32", 4)
    crops = torch.ones(3, 3, 60, 60)

    def passed(keys: torch.Tensor, crops: torch.Tensor, place: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
        dropped = Dropped(0.25, keys, (place,))
        return surrogate.gradient(crops, lambda e: e[:, 0], dropped)

    _, slope = passed(KEYS, crops)
    # towards the pixels: each is behind two layers that both kept it with chance .75^2
    kept = (slope != 0).float().mean((1, 2, 3))
    assert (kept - 0.75**2).abs().max() < 0.02
    _, alone = passed(KEYS[1:2], crops[1:2])
    assert torch.equal(alone != 0, slope[1:2] != 0)
    _, other = passed(KEYS, crops, place=1)
    assert not torch.equal(other != 0, slope != 0)
    without = surrogate.gradient(crops, lambda e: e[:, 0])[1]
    assert (without != 0).all()  # the hooks are gone


@pytest.mark.parametrize(
    ("descent", "what"),
    [
        (Descent(copies=0), "copies=0"),
        (Descent(dropout=1.0), "dropout=1"),
        (Descent(start=-1), "start=-1"),
    ],
)
def test_a_descent_out_of_range_is_one_line(descent: Descent, what: str) -> None:
    with pytest.raises(UserError, match=what):
        descent.check()
