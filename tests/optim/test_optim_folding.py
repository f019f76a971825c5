"""Folding changes the speed of a network, never its function."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from bench.encoders import load
from bench.optim.networks.folding import bfloat16_on_cpu, fold
from bench.optim.networks.layers import Affine, FrozenPReLU, StridedDepthwise
from bench.types import Folders


class Everything(nn.Module):
    """One of each thing that folds, and of each that must not."""

    def __init__(self) -> None:
        super().__init__()
        self.normalise = nn.BatchNorm2d(3)  # before a padded convolution: stays
        self.first = nn.Conv2d(3, 8, 3, 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.act = nn.PReLU(8)
        self.depthwise = nn.Conv2d(8, 8, 3, 2, 1, groups=8)
        self.act1 = nn.PReLU()
        self.before = nn.BatchNorm2d(8)  # before an unpadded, grouped convolution: folds
        self.grouped = nn.Conv2d(8, 12, 1, groups=4, bias=False)
        self.linear = nn.Linear(12 * 49, 6)
        self.last = nn.BatchNorm1d(6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.act(self.norm(self.first(self.normalise(x))))
        y = self.grouped(self.before(self.act1(self.depthwise(y))))
        out: torch.Tensor = self.last(self.linear(y.flatten(1)))
        return out


def everything() -> Everything:
    torch.manual_seed(0)
    network = Everything().double().eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.get_buffer("running_mean").normal_()
            module.get_buffer("running_var").uniform_(0.5, 2)
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
        if isinstance(module, nn.PReLU):
            nn.init.uniform_(module.weight, -0.5, 1)
    return network


def value_and_gradient(network: nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    leaf = x.clone().requires_grad_(True)
    out = network(leaf)
    weights = torch.linspace(-1, 1, out[0].numel(), dtype=out.dtype).view_as(out[0])
    return out.detach(), torch.autograd.grad((out * weights).sum(), leaf)[0]


def test_outputs_and_input_gradients_are_equal_to_rounding() -> None:
    x = torch.rand(3, 3, 28, 28, dtype=torch.float64)
    network = everything()
    expected, slope = value_and_gradient(network, x)
    got, folded_slope = value_and_gradient(fold(network), x)
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(folded_slope, slope, rtol=1e-10, atol=1e-10)


def test_only_what_cannot_be_folded_is_left() -> None:
    kinds = [type(m).__name__ for m in fold(everything()).children()]
    assert sorted(kinds) == ["Affine", "Conv2d", "Conv2d", "Conv2d", "FrozenPReLU", "FrozenPReLU", "Linear"]


def test_nothing_that_is_folded_learns_and_the_original_is_untouched() -> None:
    network = everything()
    before = {k: v.clone() for k, v in network.state_dict().items()}
    folded = fold(network)
    assert not any(p.requires_grad for p in folded.parameters())
    assert all(p.requires_grad for p in network.parameters())
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())


def test_a_network_that_looks_at_its_data_is_left_as_it_is() -> None:
    class Fickle(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x if bool(x.sum() > 0) else -x

    assert isinstance(fold(Fickle()), Fickle)


@pytest.mark.parametrize("channels", [1, 5])
def test_frozen_prelu_is_prelu(channels: int) -> None:
    slope = torch.linspace(-0.5, 1.5, channels, dtype=torch.float64)
    x = torch.randn(2, 5, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    usual = nn.PReLU(channels).double()
    usual.weight.data = slope
    for got, expected in zip(
        value_and_gradient(FrozenPReLU(slope), x), value_and_gradient(usual, x), strict=True
    ):
        torch.testing.assert_close(got, expected)


@pytest.mark.parametrize(("kernel", "stride", "padding", "side"), [(3, 2, 1, 8), (3, 2, 1, 7), (5, 3, 2, 11)])
def test_strided_depthwise_has_the_gradient_of_a_convolution(
    kernel: int, stride: int, padding: int, side: int
) -> None:
    torch.manual_seed(0)
    usual = nn.Conv2d(4, 4, kernel, stride, padding, groups=4).double()
    assert StridedDepthwise.fits(usual)
    x = torch.rand(2, 4, side, side, dtype=torch.float64)
    for got, expected in zip(
        value_and_gradient(StridedDepthwise(usual), x), value_and_gradient(usual, x), strict=True
    ):
        torch.testing.assert_close(got, expected)


def test_an_affine_of_each_channel_is_a_batch_norm() -> None:
    norm = nn.BatchNorm2d(3).double().eval()
    norm.get_buffer("running_mean").copy_(torch.tensor([1.0, 2.0, 3.0]))
    norm.get_buffer("running_var").copy_(torch.tensor([4.0, 1.0, 0.25]) - norm.eps)
    x = torch.rand(2, 3, 2, 2, dtype=torch.float64)
    # (x - mean) / std
    scale = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)
    shift = torch.tensor([-0.5, -2.0, -6.0], dtype=torch.float64)
    torch.testing.assert_close(Affine(scale, shift)(x), norm(x))


@pytest.mark.real
@pytest.mark.parametrize(
    "name",
    [
        "insightface_mobilefacenet_y1",
        "mfn_espdl",
        "mobilefacenet_casia_xiaoccer",
        "mobileface_v2",
        "mobileface_v3",
    ],
)
def test_folding_real_encoders_changes_neither_embedding_nor_gradient(
    real_data: Path, tmp_path: Path, name: str
) -> None:
    twin = load(name, Folders(home=str(tmp_path), real_data=str(real_data))).twin()
    x = torch.rand(4, 3, 112, 112, generator=torch.Generator().manual_seed(0))
    expected, slope = value_and_gradient(_Unit(twin), x)
    got, folded = value_and_gradient(_Unit(fold(twin)), x)
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-5)
    # a value within rounding of a PReLU's kink changes single elements: compare as a whole
    assert float((folded - slope).norm() / slope.norm()) < 1e-2
    low, _ = value_and_gradient(_Unit(bfloat16_on_cpu(fold(twin)), torch.bfloat16), x)
    assert float((low * expected).sum(1).min()) > 0.998


class _Unit(nn.Module):
    def __init__(self, network: nn.Module, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.network, self.dtype = network, dtype

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.normalize(self.network(x.to(self.dtype)).float(), dim=1)
