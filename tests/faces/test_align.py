"""The aligned face is where the template says, in the photo's own pixels, and gradients reach them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from bench.faces.align import convert, matrix, sampling_grid, similarity, warp
from bench.types import ARCFACE_CROP, Crop, Face

TEMPLATE = np.array(ARCFACE_CROP.template)
BOX = Crop(size=160, kind="box", margin=14)


def face_at(angle: float, scale: float, shift: tuple[float, float]) -> Face:
    """A face whose landmarks are the template turned, scaled and moved."""
    turn = scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    points = TEMPLATE @ turn.T + shift
    return Face((0, 0, 1, 1), tuple((float(x), float(y)) for x, y in points), 1.0)


def ramp(height: int, width: int) -> torch.Tensor:
    """A photo whose first channel is x, second y, third 1."""
    ys, xs = torch.meshgrid(torch.arange(float(height)), torch.arange(float(width)), indexing="ij")
    return torch.stack([xs, ys, torch.ones_like(xs)])[None]


@pytest.mark.parametrize("angle", [0.0, 0.4, -2.0])
@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_similarity_undoes_what_was_done_to_the_template(angle: float, scale: float) -> None:
    face = face_at(angle, scale, (20.0, -7.0))
    m = similarity(face.landmarks, ARCFACE_CROP.template)
    landed = np.array(face.landmarks) @ m[:, :2].T + m[:, 2]
    np.testing.assert_allclose(landed, TEMPLATE, atol=1e-9)


def test_similarity_is_the_least_squares_one() -> None:
    # no small change of its four parameters may bring the points nearer
    rng = np.random.default_rng(0)
    points = TEMPLATE + rng.normal(0, 3, TEMPLATE.shape)
    m = similarity(points, TEMPLATE)

    def miss(a: float, b: float, x: float, y: float) -> float:
        linear = np.array([[a, -b], [b, a]])
        return float((((points @ linear.T) + [x, y] - TEMPLATE) ** 2).sum())

    best = (m[0, 0], m[1, 0], m[0, 2], m[1, 2])
    for i in range(4):
        for step in (1e-4, -1e-4):
            changed = list(best)
            changed[i] += step
            assert miss(*changed) > miss(*best)


def test_similarity_refuses_one_point() -> None:
    with pytest.raises(ValueError, match="one point"):
        similarity([(3.0, 4.0)] * 5, TEMPLATE)


def test_box_lands_on_the_crop_without_its_margin() -> None:
    # margin 14 of 160: the detector's box fills the inner 146 pixels, edge to edge
    m = matrix(Face((100.0, 50.0, 200.0, 250.0), (), 1.0), BOX)
    corners = np.array([[100.0, 50.0], [200.0, 250.0]]) - 0.5  # edges, in centre-of-pixel coordinates
    landed = corners @ m[:, :2].T + m[:, 2] + 0.5
    np.testing.assert_allclose(landed[1] - landed[0], [146, 146], atol=1e-9)
    centre = np.array([150.0, 150.0]) @ m[:, :2].T + m[:, 2]
    np.testing.assert_allclose(centre, [79.5, 79.5])


def test_warp_looks_up_the_pixels_that_the_matrix_names() -> None:
    # on a photo that is its own coordinates, the crop must be the inverse map
    face = face_at(0.3, 1.2, (30.0, 10.0))
    m = matrix(face, ARCFACE_CROP)
    crop = warp(ramp(220, 240), m[None], 112)[0].double().numpy()
    at = np.array([56.0, 70.0])
    full = np.vstack([m, [0, 0, 1]])
    expected = np.linalg.inv(full) @ [*at, 1.0]
    np.testing.assert_allclose(crop[:2, int(at[1]), int(at[0])], expected[:2], atol=1e-3)


def test_warp_is_black_outside_the_photo() -> None:
    m = np.array([[1.0, 0.0, 200.0], [0.0, 1.0, 0.0]])  # the photo lies to the right of the crop
    assert float(warp(ramp(64, 64), m[None], 112).abs().max()) == 0.0


def test_large_faces_are_averaged_and_stay_in_place() -> None:
    # a face more than eight times its crop: averaged by four, so fine stripes become grey and the ramp stays
    face = face_at(0.0, 8.4, (20.0, 12.0))
    m = matrix(face, ARCFACE_CROP)
    photo = ramp(1000, 1000)
    photo[0, 2] = (torch.arange(1000) % 2).float()
    crop = warp(photo, m[None], 112)[0]
    inner = crop[:, 10:100, 10:100]
    assert float((inner[2] - 0.5).abs().max()) < 1e-6
    expected = (np.linalg.inv(np.vstack([m, [0, 0, 1]])) @ [50.0, 50.0, 1.0])[:2]
    np.testing.assert_allclose(crop[:2, 50, 50].numpy(), expected, atol=0.02)


def test_photos_of_one_batch_do_not_touch_each_other() -> None:
    photos = torch.rand(3, 3, 200, 200, generator=torch.Generator().manual_seed(1))
    maps = np.stack([matrix(face_at(0.1 * i, 1.0 + 0.2 * i, (20.0, 20.0)), ARCFACE_CROP) for i in range(3)])
    together = warp(photos, maps, 112)
    for i in range(3):
        assert torch.equal(together[i : i + 1], warp(photos[i : i + 1], maps[i : i + 1], 112))


def test_gradient_of_the_warp_is_its_transpose() -> None:
    # the warp is linear in the photo: <warp(x), g> = <x, gradient>
    generator = torch.Generator().manual_seed(2)
    photo = torch.rand(1, 3, 150, 150, generator=generator, dtype=torch.float64, requires_grad=True)
    weight = torch.rand(1, 3, 112, 112, generator=generator, dtype=torch.float64)
    m = matrix(face_at(0.2, 1.1, (10.0, 5.0)), ARCFACE_CROP)
    value = (warp(photo, m[None], 112) * weight).sum()
    (gradient,) = torch.autograd.grad(value, photo)
    assert float((photo * gradient).sum().detach()) == pytest.approx(float(value.detach()), rel=1e-10)


def test_sampling_grid_of_the_identity_is_the_pixel_centres() -> None:
    grid = sampling_grid(np.array([[[1.0, 0, 0], [0, 1.0, 0]]]), 4, 4, 4)
    # four pixels across [-1, 1]: centres at -3/4, -1/4, 1/4, 3/4
    np.testing.assert_allclose(grid[0, 0, :, 0].numpy(), [-0.75, -0.25, 0.25, 0.75])


@pytest.mark.parametrize("scale", [0.2, 0.45, 1.0, 1.7])
@pytest.mark.parametrize("shift", [(-60.0, -60.0), (40.0, 20.0), (150.0, 170.0)])
def test_a_photo_converted_in_part_gives_the_very_same_crop(scale: float, shift: tuple[float, float]) -> None:
    # the face may reach beyond every edge of the photo, be turned, or be so large that it is averaged down
    image = np.random.default_rng(3).integers(0, 256, (220, 250, 3), np.uint8)
    m = matrix(face_at(0.3, 1 / scale, shift), ARCFACE_CROP)
    whole = torch.from_numpy(image).permute(2, 0, 1)[None].float().div_(255)
    expected = warp(whole, m[None], ARCFACE_CROP.size)
    assert torch.equal(warp(convert(image, m, ARCFACE_CROP.size), m[None], ARCFACE_CROP.size), expected)
