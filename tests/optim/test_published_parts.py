"""The parts of published cloaks, each against what is known of it otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from bench.defenses._estimates import Clipped, _field, _spline
from bench.defenses._people import OutOfHull, Volume, _combined
from bench.defenses._updates import Adadelta, Straight
from bench.defenses._variations import Affine, Cropped, Holes, Mixed, Mosaic, Spectrum, TurnedBlocks
from scipy.optimize import minimize

from bench.metrics._ssim import similarity
from bench.optim.measures import ms_ssim_loss
from bench.optim.randomness import PhotoMoment, photo_keys
from bench.protocols import Ground, Pictures, Turn

SIDE = 24
LANDMARKS = torch.tensor([[[8.0, 9.0], [16.0, 9.0], [12.0, 13.0], [9.0, 17.0], [15.0, 17.0]]]).repeat(2, 1, 1)


def moment(copy: int = 0) -> PhotoMoment:
    others = torch.ones(5, 3, SIDE, SIDE)
    return PhotoMoment(photo_keys(1, ["a", "b"]), 0, copy, 2, LANDMARKS, lambda: others)


def faces() -> torch.Tensor:
    return torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


def lattice() -> torch.Tensor:
    """Where pixels look when nothing is varied: [2, side, side, 2], x and y."""
    axes = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    return torch.stack(axes[::-1], -1)[None].float().repeat(2, 1, 1, 1)


def unit(*shape: int, seed: int = 0) -> torch.Tensor:
    drawn = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return torch.nn.functional.normalize(drawn, dim=-1)


def test_a_spectrum_without_noise_and_gain_is_the_face_itself() -> None:
    assert torch.allclose(Spectrum(0.0, 0.0).view(faces(), moment()), faces(), atol=1e-5)
    assert not torch.allclose(Spectrum(0.0, 0.5).view(faces(), moment()), faces(), atol=1e-2)


def test_a_mixed_face_is_the_face_and_a_share_of_another_and_darker_with_every_copy() -> None:
    for copy, brightness in ((0, 1), (1, 2), (4, 16), (5, 1)):
        seen = Mixed(0.2, 5).view(faces(), moment(copy))
        assert torch.allclose(seen * brightness, faces() + 0.2)


def test_holes_lie_between_landmarks_and_nowhere_else() -> None:
    hole = Holes(4, 3 / SIDE).view(torch.ones(2, 3, SIDE, SIDE), moment()) == 0
    rows, columns = hole[:, 0].any(2), hole[:, 0].any(1)
    assert hole.any((1, 2, 3)).all()
    assert not rows[:, :7].any() and not rows[:, 20:].any()
    assert not columns[:, :6].any() and not columns[:, 19:].any()
    assert hole[0, 0].sum() <= 4 * 4**2


def test_a_mosaic_only_exchanges_pixels_of_a_block() -> None:
    looked = Mosaic(0.1).points(lattice(), moment())
    assert not torch.equal(looked, lattice())
    for one in looked:
        places = one.reshape(-1, 2) @ torch.tensor([1.0, SIDE])
        assert sorted(places.tolist()) == list(range(SIDE**2))  # each pixel is looked at once
        for axis in (0, 1):  # what is in a row of blocks stays there
            lines = one[..., 1 - axis].min(1 - axis).values, one[..., 1 - axis].max(1 - axis).values
            assert (lines[1] - lines[0]).max() < SIDE


def test_a_mosaic_does_to_the_pixels_what_it_does_to_the_places() -> None:
    # which blocks are darker is drawn again for the values: the two must agree on the blocks
    from bench.defenses._variations import _DARKER, _NOISY, _blocks

    _, kinds, _ = _blocks(moment(), SIDE)
    moved = (Mosaic(0.0).points(lattice(), moment()) != lattice()).any(-1)
    changed = (Mosaic(0.0).view(faces(), moment()) != faces()).any(1)
    assert not (moved & changed).any()
    assert torch.equal(changed, kinds == _DARKER)
    assert not moved[(kinds == _DARKER) | (kinds == _NOISY)].any()


def test_blocks_that_do_not_turn_are_exchanged_whole() -> None:
    looked = TurnedBlocks(3, 0.0).points(lattice(), moment())
    width = SIDE // 3
    for one in looked:
        corners = one[::width, ::width]
        assert torch.equal(corners.round() % width, torch.zeros_like(corners))
        inside = one.reshape(3, width, 3, width, 2) - corners[:, None, :, None]
        axes = torch.meshgrid(torch.arange(width), torch.arange(width), indexing="ij")
        plain = torch.stack(axes[::-1], -1).float()
        assert torch.allclose(inside, plain[None, :, None].expand_as(inside))
        assert sorted((corners @ torch.tensor([1.0, SIDE])).flatten().tolist()) == sorted(
            float(width * (x + SIDE * y)) for x in range(3) for y in range(3)
        )


def test_a_turned_block_looks_around_its_own_middle() -> None:
    still, turned = (TurnedBlocks(1, turn).points(lattice(), moment()) for turn in (0.0, 0.3))
    middle = (SIDE - 1) / 2
    inner = (still - middle).norm(dim=-1) < 8
    before, after = ((places - middle).norm(dim=-1)[inner] for places in (still, turned))
    assert torch.allclose(after, before, atol=1e-4)
    assert not torch.allclose(turned, still, atol=0.1)


def test_a_crop_stays_in_the_frame() -> None:
    looked = Cropped(0.75).points(lattice(), moment())
    assert looked.min() >= 0 and looked.max() <= SIDE
    assert torch.allclose(looked[:, 0, -1, 0] - looked[:, 0, 0, 0], torch.tensor(0.75 * (SIDE - 1)))


def test_an_affine_map_is_near_the_identity_for_a_small_spread() -> None:
    small, large = (Affine(low, low).points(lattice(), moment()) - lattice() for low in (1e-4, 0.1))
    assert small.abs().max() < 0.05 < 0.5 < large.abs().max()


def test_a_spline_moves_the_middle_and_no_other_point() -> None:
    nodes, weights = _spline()
    squares = np.square(nodes[:, None] - nodes).sum(-1)
    values = (squares * np.log(squares + 1e-9)) @ weights[:9] + weights[9] + nodes @ weights[10:]
    assert np.allclose(values, np.eye(9)[4], atol=1e-8)


def test_a_warp_moves_pixels_of_the_face_by_half_a_box_at_most() -> None:
    still, push = _field(pictures(np.zeros((40, 40, 3), np.uint8), np.zeros((40, 40, 3), np.uint8)))
    assert torch.equal(still[3, 5], torch.tensor([5.0, 3.0]))
    assert torch.allclose(push[0, 19:21, 19:21], torch.tensor(15.0), atol=1.5)
    assert push[0, 5, 5].abs().max() < 0.5  # a corner of the box stays
    assert push.abs().max() <= 15 * 1.01


def pictures(original: Any, released: Any) -> Pictures:
    """One photo with a face in the middle."""
    height, width = original.shape[:2]
    planes = [torch.from_numpy(p.transpose(2, 0, 1).astype(np.float32))[None] for p in (released, original)]
    return Pictures(
        planes[0],
        planes[1],
        torch.ones(1, 1, height, width, dtype=torch.bool),
        torch.tensor([[height, width]]),
        torch.tensor([[height, width]]),
        torch.tensor([[5, 5, width - 5, height - 5]]),
        torch.zeros(1, 5, 2),
    )


@pytest.mark.parametrize("side", [40, 60, 110, 200])
def test_multi_scale_likeness_is_that_of_the_metric(side: int) -> None:
    draw = np.random.default_rng(side)
    coarse = draw.integers(0, 256, (side // 10, side // 10, 3), dtype=np.uint8)
    smooth = np.kron(coarse, np.ones((10, 10, 1), np.uint8))
    noisy = np.clip(smooth + draw.integers(-20, 21, smooth.shape), 0, 255).astype(np.uint8)
    (measured,) = ms_ssim_loss(pictures(smooth, noisy))
    inner = (slice(5, -5), slice(5, -5))
    assert float(measured) == pytest.approx(1 - similarity(smooth[inner], noisy[inner]).ms_ssim, abs=1e-5)
    assert float(ms_ssim_loss(pictures(smooth, smooth))) == pytest.approx(0, abs=1e-5)


def test_a_face_smaller_than_a_window_has_no_unlikeness_and_a_gradient() -> None:
    tiny = pictures(np.zeros((18, 18, 3), np.uint8), np.full((18, 18, 3), 9, np.uint8))
    tiny.levels.requires_grad_(True)
    (measured,) = ms_ssim_loss(tiny)
    assert not measured.any()
    assert not torch.autograd.grad(measured, tiny.levels)[0].any()


def test_only_what_leaves_the_budget_on_the_way_has_no_gradient() -> None:
    shown = pictures(np.full((40, 40, 3), 90, np.uint8), np.full((40, 40, 3), 93, np.uint8))
    ones = torch.ones_like(shown.levels)
    still = Clipped(8.0, 0.0, 1e-3)(shown, torch.ones_like, (), one_moment())
    assert torch.equal(still, ones)  # nothing leaves it, whatever rounding does
    far = Clipped(8.0, 0.0, 20.0)(shown, torch.ones_like, (), one_moment())
    assert 0.2 < far.mean() < 0.5


def one_moment() -> PhotoMoment:
    return PhotoMoment(photo_keys(1, ["a"]), 0, 0, 2, LANDMARKS[:1])


def test_adadelta_steps_as_that_of_torch() -> None:
    draw = torch.Generator().manual_seed(0)
    values = torch.randn(2, 3, 4, 4, generator=draw)
    theirs = values.clone().requires_grad_(True)
    peer = torch.optim.Adadelta([theirs], lr=15, rho=0.95, eps=1e-7)
    update, memory = Adadelta(15.0), [torch.zeros_like(values) for _ in range(3)]
    turn = Turn(5, torch.ones(2, 1, 1, 1), 8.0, lambda: (values, values))
    for _ in range(5):
        gradient = torch.randn(values.shape, generator=draw)
        update.absorb(values, gradient, memory, turn)
        values = update.step(values, memory, turn)
        theirs.grad = gradient
        peer.step()
    assert torch.allclose(values, theirs, rtol=1e-4)


def test_a_straight_step_has_the_length_that_was_asked_for_where_there_is_a_gradient() -> None:
    gradient = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    gradient[..., 4:] = 0
    memory = [torch.zeros_like(gradient)]
    turn = Turn(10, torch.ones(1, 1, 1, 1), 8.0, lambda: (gradient, gradient))
    update = Straight(1.5, 1.0)
    update.absorb(gradient, gradient, memory, turn)
    moved = update.step(torch.zeros_like(gradient), memory, turn)
    assert moved[..., :4].square().mean().sqrt() == pytest.approx(1.5 * 8 / 10, rel=1e-5)
    assert not moved[..., 4:].any()
    assert (moved[..., :4] * gradient[..., :4]).sum() < 0


def test_the_nearest_combination_is_that_of_a_general_solver() -> None:
    rows, point = unit(4, 6), unit(1, 6, seed=1)
    found = minimize(
        lambda w: float(np.square(point[0].numpy() - w @ rows.numpy()).sum()),
        np.full(4, 0.25),
        bounds=[(0, 1)] * 4,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        tol=1e-12,
    )
    assert np.allclose(_combined(point, rows)[0].numpy(), found.x @ rows.numpy(), atol=1e-4)


def ground(photos: int, dimensions: int) -> Ground:
    owners = torch.zeros(photos, dtype=torch.int64)
    digests = tuple(str(i) for i in range(photos))
    return Ground(unit(photos, dimensions), owners, unit(3, dimensions, seed=5), digests, 0)


def test_larger_hulls_are_nearer() -> None:
    own = ground(4, 8)
    cloaked = unit(4, 8, seed=2)
    centre, convex, affine = (
        -OutOfHull(hull)(own)(cloaked, torch.arange(4), cloaked)[0] for hull in ("centre", "convex", "affine")
    )
    assert (affine <= convex + 1e-6).all() and (convex <= centre + 1e-6).all()
    assert affine.mean() < convex.mean() < centre.mean()
    # a clean photo is part of its hull
    inside = -OutOfHull("convex")(own)(own.clean, torch.arange(4), own.clean)[0]
    assert torch.allclose(inside, torch.zeros_like(inside), atol=1e-5)


def test_the_slope_of_the_volume_is_that_of_the_whole_determinant() -> None:
    own = ground(5, 12)
    cloaked = unit(5, 12, seed=3).requires_grad_(True)
    row_by_row = Volume()(own)(cloaked, torch.arange(5), cloaked.detach())[0].sum()
    (slope,) = torch.autograd.grad(row_by_row, cloaked)
    gram = cloaked @ cloaked.T + 1e-4 * torch.eye(5, dtype=torch.float64)
    whole = (cloaked * own.clean).sum() - (torch.linalg.det(gram) + 1e-4).log()
    assert torch.allclose(slope, torch.autograd.grad(whole, cloaked)[0], atol=1e-8)


def test_photos_that_are_alike_have_a_larger_loss_of_volume_than_photos_that_are_not() -> None:
    own = ground(3, 12)
    alike, apart = own.clean[:1].repeat(3, 1), unit(3, 12, seed=9)
    worst, best = (Volume()(own)(e, torch.arange(3), e)[0].mean() for e in (alike, apart))
    assert worst > best + 1
