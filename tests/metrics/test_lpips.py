"""LPIPS against its definition, with random weights of the right shapes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from bench.metrics.lpips import SHAPES, SMALLEST, Lpips
from bench.metrics.perceptual import perceptual_cost
from bench.types import Face, Image

Weights = dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]


def weights(seed: int = 0) -> Weights:
    rng = np.random.default_rng(seed)
    return {
        # heads are not negative; convolutions keep the size of what they are given
        name: (
            rng.random(shape) if "lin" in name else rng.standard_normal(shape) / math.sqrt(np.prod(shape[1:]))
        ).astype(np.float32)
        for name, shape in SHAPES.items()
    }


def photo(seed: int, height: int = 64, width: int = 80) -> Image:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def by_definition(given: Weights, original: Image, released: Image) -> float:
    """Equation 1 of Zhang et al. 2018, layer by layer, with torch's own modules in torchvision's order."""
    features = nn.Sequential(
        *(nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(64, 192, 5, 1, 2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(192, 384, 3, 1, 1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, 1, 1), nn.ReLU()),
        *(nn.Conv2d(256, 256, 3, 1, 1), nn.ReLU()),
    )
    state = {k.removeprefix("features."): torch.from_numpy(w) for k, w in given.items() if "features" in k}
    features.load_state_dict(state)
    features.requires_grad_(False)
    total, heads = 0.0, 0
    x, y = (
        (
            (torch.from_numpy(p).permute(2, 0, 1)[None].float() / 255 * 2 - 1)
            - torch.tensor([-0.030, -0.088, -0.188]).view(1, 3, 1, 1)
        )
        / torch.tensor([0.458, 0.448, 0.450]).view(1, 3, 1, 1)
        for p in (original, released)
    )
    for module in features:
        x, y = module(x), module(y)
        if isinstance(module, nn.ReLU):
            unit_x, unit_y = (f / (f.norm(dim=1, keepdim=True) + 1e-10) for f in (x, y))
            head = torch.from_numpy(given[f"lin{heads}.model.1.weight"])
            weighed = nn.functional.conv2d((unit_x - unit_y) ** 2, head)
            total, heads = total + float(weighed.mean()), heads + 1
    assert heads == 5
    return total


@pytest.mark.parametrize(("height", "width"), [(64, 80), (31, 31), (113, 97)])
def test_it_is_the_published_definition(height: int, width: int) -> None:
    given = weights()
    a, b = photo(1, height, width), photo(2, height, width)
    assert Lpips(given).distance(a, b) == pytest.approx(by_definition(given, a, b), rel=1e-4)


def test_it_is_zero_for_itself_and_grows_with_the_change() -> None:
    measure, a = Lpips(weights()), photo(1)
    assert measure.distance(a, a) == 0
    noise = np.random.default_rng(3).integers(-1, 2, a.shape)
    changed = [np.clip(a + k * noise, 0, 255).astype(np.uint8) for k in (2, 10, 50)]
    distances = [measure.distance(a, b) for b in changed]
    assert 0 < distances[0] < distances[1] < distances[2]
    assert measure.distance(a, changed[1]) == pytest.approx(measure.distance(changed[1], a), rel=1e-4)


def test_a_region_that_is_too_small_has_none() -> None:
    small = photo(1, SMALLEST - 1, 200)
    assert math.isnan(Lpips(weights()).distance(small, small))


def test_weights_that_are_none_are_named() -> None:
    given = weights()
    del given["features.6.bias"]
    with pytest.raises(ValueError, match=r"no tensor features\.6\.bias"):
        Lpips(given)
    given = weights() | {"lin2.model.1.weight": np.zeros((1, 4, 1, 1), np.float32)}
    with pytest.raises(
        ValueError, match=r"lin2\.model\.1\.weight is \(1, 4, 1, 1\), it should be \(1, 384, 1, 1\)"
    ):
        Lpips(given)


def test_a_cost_has_it_where_there_are_weights() -> None:
    a, b, face = photo(1), photo(2), Face((10, 10, 60, 60), ((0.0, 0.0),) * 5, 0.9)
    assert perceptual_cost(a, b, face).whole.lpips is None
    measure = Lpips(weights())
    cost = perceptual_cost(a, b, face, measure)
    assert cost.whole.lpips == measure.distance(a, b)
    assert cost.face is not None
    assert cost.face.lpips == measure.distance(a[10:60, 10:60], b[10:60, 10:60])


@pytest.mark.parametrize(("height", "width"), [(64, 80), (31, 31)])
def test_between_is_the_distance_with_a_slope(height: int, width: int) -> None:
    measure, a, b = Lpips(weights()), photo(1, height, width), photo(2, height, width)
    original, released = (torch.from_numpy(p).permute(2, 0, 1).double() for p in (a, b))
    released.requires_grad_(True)
    value = measure.between(original, released)
    assert float(value.detach()) == pytest.approx(measure.distance(a, b), rel=1e-5)
    (slope,) = torch.autograd.grad(value, released)
    with torch.no_grad():
        direction = slope / slope.norm()
        ahead, behind = (measure.between(original, released + s * direction) for s in (1e-3, -1e-3))
    assert float(ahead - behind) / 2e-3 == pytest.approx(float(slope.norm()), rel=1e-3)


def test_between_of_what_has_no_features_has_a_slope_of_zero() -> None:
    measure = Lpips({name: -abs(w) if "features" in name else w for name, w in weights().items()})
    black = torch.full((3, 40, 40), 255.0)
    same = black.clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(measure.between(black, same), same)
    assert not slope.any()
    small = torch.zeros(3, 30, 40, requires_grad=True)
    assert float(measure.between(small, small)) == 0
