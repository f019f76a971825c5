"""The face region, the patches cut around it, and the gradient through the alignment."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.faces.align import matrix, warp
from bench.optim.limits import project
from bench.optim.patches import cut, stacked
from bench.optim.region import face_region
from bench.optim.sampling import bilinear, spread_exactly
from bench.types import ARCFACE_CROP, Crop, Face

BOX_CROP = Crop(size=160, kind="box", margin=14)


def a_face(centre: tuple[float, float], scale: float, angle: float = 0.0) -> Face:
    """The template itself, turned, scaled and moved: its alignment is known exactly."""
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (np.array(ARCFACE_CROP.template) - 55.5) @ turn.T + np.array(centre)
    low, high = points.min(0) - 25 * scale, points.max(0) + 25 * scale
    return Face((*low, *high), tuple((float(x), float(y)) for x, y in points), 1.0)


def test_the_region_of_an_upright_face_is_its_aligned_square() -> None:
    # scale 1, centred: crop pixel 0..111 is photo pixel 44..155; the box lies inside the square
    face = a_face((99.5, 99.5), 1.0)
    face = Face((60.0, 60.0, 140.0, 140.0), face.landmarks, 1.0)
    region = face_region(face, 200, 200)
    expected = np.zeros((200, 200), bool)
    expected[44:156, 44:156] = True
    assert (region == expected).all()


def test_the_region_holds_the_detectors_box() -> None:
    face = a_face((99.5, 99.5), 1.0)
    region = face_region(Face((20.0, 60.0, 140.0, 140.0), face.landmarks, 1.0), 200, 200)
    assert region[60:141, 20:141].all()


def test_a_face_outside_the_photo_has_no_region() -> None:
    with pytest.raises(ValueError, match="outside"):
        face_region(a_face((-500.0, -500.0), 1.0), 200, 200)


@settings(max_examples=40)
@given(
    height=st.integers(40, 500),
    width=st.integers(40, 500),
    scale=st.floats(0.3, 6),
    angle=st.floats(-0.7, 0.7),
    x=st.floats(0, 1),
    y=st.floats(0, 1),
)
def test_a_crop_of_the_patch_is_the_crop_of_the_photo(
    height: int, width: int, scale: float, angle: float, x: float, y: float
) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    face = a_face((x * width, y * height), scale, angle)
    crops = (ARCFACE_CROP, BOX_CROP)
    patch = cut(photo, face, crops)
    (stack,) = stacked([patch], crops, torch.device("cpu"))
    whole = torch.from_numpy(photo).permute(2, 0, 1)[None].float() / 255
    for which, crop in enumerate(crops):
        seen = stack.crop(which, torch.tensor([0]), stack.original.float() / 255)
        torch.testing.assert_close(seen, warp(whole, [matrix(face, crop)], crop.size), rtol=0, atol=5e-4)


def test_patches_hold_the_whole_region_and_start_on_jpeg_blocks() -> None:
    photo = np.zeros((400, 500, 3), np.uint8)
    face = a_face((240.0, 210.0), 1.3, 0.3)
    patch = cut(photo, face, (ARCFACE_CROP,))
    assert patch.region.sum() == face_region(face, 400, 500).sum()
    assert patch.top % 16 == patch.left % 16 == 0


@pytest.mark.parametrize("scale", [0.7, 3.1])  # enlarged, and averaged down before it is sampled
def test_the_gradient_towards_photo_pixels_is_that_of_finite_differences(scale: float) -> None:
    generator = torch.Generator().manual_seed(0)
    crop = Crop(24, "similarity", tuple((x * 24 / 112, y * 24 / 112) for x, y in ARCFACE_CROP.template))
    face = a_face((40.0, 40.0), scale * 24 / 112, 0.2)
    photo = np.random.default_rng(1).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    (stack,) = stacked([cut(photo, face, (crop,))], (crop,), torch.device("cpu"))
    stack._grids = [grid.double() for grid in stack._grids]
    weights = torch.rand((1, 3, 24, 24), dtype=torch.float64, generator=generator)

    def value(pixels: torch.Tensor) -> torch.Tensor:
        return (stack.crop(0, torch.tensor([0]), pixels).sin() * weights).sum()

    pixels = (stack.original.double() / 255).requires_grad_(True)
    (slope,) = torch.autograd.grad(value(pixels), pixels)
    direction = torch.randn(pixels.shape, dtype=torch.float64, generator=generator)
    step = 1e-6
    with torch.no_grad():
        numeric = (value(pixels + step * direction) - value(pixels - step * direction)) / (2 * step)
    assert float(numeric) == pytest.approx(float((slope * direction).sum()), rel=1e-6)


def test_the_exact_adjoint_is_torchs_and_does_not_depend_on_order() -> None:
    generator = torch.Generator().manual_seed(0)
    image = torch.rand((2, 3, 9, 7), generator=generator, dtype=torch.float64).requires_grad_(True)
    # some points fall outside
    grid = torch.rand((2, 30, 30, 2), generator=generator, dtype=torch.float64) * 2.4 - 1.2
    gradient = torch.randn((2, 3, 30, 30), generator=generator, dtype=torch.float64)
    (expected,) = torch.autograd.grad(bilinear(image, grid), image, gradient)
    torch.testing.assert_close(spread_exactly(gradient, grid, image.shape), expected, rtol=1e-9, atol=1e-9)
    # float32 terms, in another order: floating-point sums would differ in the last bits
    gradient, grid = gradient.float(), grid.float()
    order = torch.randperm(30, generator=generator)
    one = spread_exactly(gradient, grid, image.shape)
    other = spread_exactly(gradient[:, :, order], grid[:, order], image.shape)
    assert torch.equal(one, other)


@settings(max_examples=60)
@given(limit=st.integers(0, 40), spread=st.floats(0, 300), seed=st.integers(0, 2**16))
def test_projection_and_rounding_keep_budget_range_and_region(limit: int, spread: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    original = torch.randint(0, 256, (2, 3, 8, 8), generator=generator).to(torch.uint8)
    region = torch.rand((2, 1, 8, 8), generator=generator) < 0.7
    delta = project(torch.randn((2, 3, 8, 8), generator=generator) * spread, original, region, limit)
    released = original + delta.round()
    assert released.min() >= 0
    assert released.max() <= 255
    assert (released - original).abs().max() <= limit
    assert not (released - original)[~region.expand_as(released)].any()


def test_projection_leaves_what_is_already_allowed() -> None:
    original = torch.full((1, 3, 2, 2), 100, dtype=torch.uint8)
    delta = torch.tensor([-8.0, -0.5, 3.75, 8.0]).view(1, 1, 2, 2).expand(1, 3, 2, 2).clone()
    region = torch.ones((1, 1, 2, 2), dtype=torch.bool)
    assert torch.equal(project(delta.clone(), original, region, 8), delta)
