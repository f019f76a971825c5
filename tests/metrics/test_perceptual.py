"""Perceptual cost: scikit-image as second opinion, small photos, identical photos, bad input."""

from __future__ import annotations

import json
import math
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from bench.metrics._ssim import scales_for
from bench.metrics.perceptual import PSNR_CEILING, perceptual_cost
from bench.types import Face, Image

LANDMARKS = ((0.0, 0.0),) * 5


def photo(height: int, width: int, seed: int = 0) -> Image:
    """Waves with a little grain: edges, flat parts and texture."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / (5 + 3 * c) + seed) + np.cos(y / (9 - 2 * c)) for c in range(3)]
    grain = rng.normal(scale=6, size=(height, width, 3))
    return np.clip(128 + 45 * np.stack(waves, axis=2) + grain, 0, 255).astype(np.uint8)


def cloaked(original: Image, linf: int, seed: int = 1) -> Image:
    change = np.random.default_rng(seed).integers(-linf, linf + 1, original.shape)
    return np.clip(original.astype(int) + change, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("shape", [(160, 160), (250, 250), (97, 180), (11, 12)])
@pytest.mark.parametrize("linf", [1, 8, 60])
def test_ssim_and_psnr_are_scikit_images(shape: tuple[int, int], linf: int) -> None:
    a = photo(*shape)
    b = cloaked(a, linf)
    cost = perceptual_cost(a, b, None).whole
    expected = structural_similarity(
        a, b, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255
    )
    assert cost.ssim == pytest.approx(expected, abs=1e-10)
    assert cost.dssim == pytest.approx((1 - expected) / 2, abs=1e-10)
    assert cost.psnr == pytest.approx(peak_signal_noise_ratio(a, b, data_range=255), abs=1e-10)


def test_ms_ssim_of_a_negative_is_zero() -> None:
    # The structure of a negative is the opposite, and a negative base has no real power.
    a = photo(200, 190)
    assert perceptual_cost(a, 255 - a, None).whole.ms_ssim == 0.0


def test_ms_ssim_by_the_definition() -> None:
    small = photo(43, 43)
    # 43 pixels: two scales, exponents .0448 and .2856 over their sum.
    released = cloaked(small, 20)
    halves = [p[:42, :42].reshape(21, 2, 21, 2, 3).mean(axis=(1, 3)) for p in (small, released)]
    fine, coarse = [], []
    for channel in range(3):
        fine.append(structure(small[..., channel].astype(float), released[..., channel].astype(float)))
        coarse.append(
            structural_similarity(
                halves[0][..., channel],
                halves[1][..., channel],
                gaussian_weights=True,
                sigma=1.5,
                use_sample_covariance=False,
                data_range=255,
            )
        )
    share = 0.0448 / (0.0448 + 0.2856)
    expected = np.mean([f**share * c ** (1 - share) for f, c in zip(fine, coarse, strict=True)])
    cost = perceptual_cost(small, released, None).whole
    assert cost.ms_ssim_scales == 2
    assert cost.ms_ssim == pytest.approx(expected, abs=1e-10)


def structure(a: np.ndarray, b: np.ndarray) -> float:
    """Mean contrast-structure term, window by window."""
    r = np.arange(-5, 6)
    window = np.exp(-(r[:, None] ** 2 + r**2) / 4.5)
    window /= window.sum()
    terms = []
    for y in range(a.shape[0] - 10):
        for x in range(a.shape[1] - 10):
            p, q = a[y : y + 11, x : x + 11], b[y : y + 11, x : x + 11]
            mp, mq = (window * p).sum(), (window * q).sum()
            c = (0.03 * 255) ** 2
            cov = (window * (p - mp) * (q - mq)).sum()
            terms.append(
                (2 * cov + c) / ((window * (p - mp) ** 2).sum() + (window * (q - mq) ** 2).sum() + c)
            )
    return float(np.mean(terms))


@pytest.mark.parametrize(
    ("side", "scales"), [(176, 5), (175, 4), (160, 4), (88, 4), (87, 3), (44, 3), (22, 2), (21, 1), (10, 0)]
)
def test_a_small_photo_takes_fewer_scales_and_says_so(side: int, scales: int) -> None:
    assert scales_for(side, 300) == scales_for(300, side) == scales
    a = photo(side, side)
    cost = perceptual_cost(a, cloaked(a, 4), None).whole
    assert cost.ms_ssim_scales == scales
    assert math.isnan(cost.ms_ssim) == math.isnan(cost.ssim) == (scales == 0)


def test_linf_and_rmse_by_hand() -> None:
    a = np.full((20, 20, 3), 100, np.uint8)
    b = a.copy()
    b[0, 0] = (110, 97, 100)
    cost = perceptual_cost(a, b, None).whole
    assert cost.linf == 10
    assert cost.rmse == pytest.approx(math.sqrt((100 + 9) / 1200))


def test_change_is_not_computed_modulo_256() -> None:
    a, b = np.zeros((12, 12, 3), np.uint8), np.full((12, 12, 3), 255, np.uint8)
    assert perceptual_cost(a, b, None).whole.linf == perceptual_cost(b, a, None).whole.linf == 255


def test_identical_photos_have_finite_numbers_that_survive_json() -> None:
    a = photo(60, 60)
    cost = perceptual_cost(a, a.copy(), None).whole
    assert (cost.linf, cost.rmse, cost.psnr) == (0, 0.0, PSNR_CEILING)
    assert (cost.ssim, cost.ms_ssim, cost.dssim) == (1.0, 1.0, 0.0)
    assert json.loads(json.dumps(asdict(cost), allow_nan=False)) == asdict(cost)


def test_the_face_region_is_the_box_in_whole_pixels_cut_at_the_edge() -> None:
    a = photo(60, 80)
    b = a.copy()
    b[:20] = cloaked(a[:20], 30)  # above the face
    face = Face((9.5, 20.2, 90.0, 55.1), LANDMARKS, 1.0)
    cost = perceptual_cost(a, b, face)
    assert cost.face is not None
    assert (cost.face.height, cost.face.width) == (36, 71)
    assert (cost.face.linf, cost.whole.linf) == (0, 30)


def test_a_box_outside_the_photo_is_no_region() -> None:
    a = photo(30, 30)
    assert perceptual_cost(a, a, Face((40, 40, 60, 60), LANDMARKS, 1.0)).face is None


@settings(max_examples=20)
@given(st.integers(0, 100), st.integers(1, 40))
def test_more_change_never_looks_better(seed: int, linf: int) -> None:
    a = photo(48, 48, seed)
    change = np.sign(np.random.default_rng(seed).normal(size=a.shape))
    mild, strong = (
        perceptual_cost(a, np.clip(a + k * change, 0, 255).astype(np.uint8), None).whole
        for k in (linf, 2 * linf)
    )
    assert -1 <= strong.ssim <= mild.ssim <= 1
    assert strong.psnr <= mild.psnr
    assert strong.ms_ssim <= mild.ms_ssim


def test_bad_photos_are_refused() -> None:
    a = photo(20, 20)
    with pytest.raises(ValueError, match=r"released photo is \(20, 21, 3\), its original \(20, 20, 3\)"):
        perceptual_cost(a, photo(20, 21), None)
    with pytest.raises(ValueError, match="released must be 8-bit"):
        perceptual_cost(a, a.astype(np.float32), None)
    with pytest.raises(ValueError, match="original must be 8-bit"):
        perceptual_cost(a[..., 0], a[..., 0], None)
