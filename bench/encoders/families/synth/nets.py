"""The three small networks behind the `synth-*` encoders: residual, inception-like, transformer.

Every normalisation follows a linear layer, so that `fold` can melt it into the weights: what is
shipped and attacked has no batch norm, and its training twin is the same function.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812 - the name every torch program uses
from torch import nn

DIMENSIONS = 128


class ConvUnit(nn.Module):
    """Convolution, batch norm, activation (PReLU, or none). Folded, the norm is the identity."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, *, act: bool = True
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2)
        self.norm: nn.Module = nn.BatchNorm2d(outputs)
        self.act: nn.Module = nn.PReLU(outputs) if act else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[n, inputs, h, w] -> [n, outputs, h / stride, w / stride]."""
        y: torch.Tensor = self.act(self.norm(self.conv(x)))
        return y


class Head(nn.Module):
    """Linear layer and batch norm: features -> embedding, not normalised."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, DIMENSIONS)
        self.norm: nn.Module = nn.BatchNorm1d(DIMENSIONS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[n, inputs] -> [n, DIMENSIONS]."""
        y: torch.Tensor = self.norm(self.linear(x))
        return y


class Residual(nn.Module):
    """Two 3x3 convolutions beside a shortcut, activated after the sum."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = ConvUnit(inputs, outputs, 3, stride)
        self.second = ConvUnit(outputs, outputs, act=False)
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else ConvUnit(inputs, outputs, 1, stride, act=False)
        self.act = nn.PReLU(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[n, inputs, h, w] -> [n, outputs, h / stride, w / stride]."""
        y: torch.Tensor = self.act(self.second(self.first(x)) + self.shortcut(x))
        return y


class ResidualNet(nn.Module):
    """Residual network as face recognition uses it: no pooling, a linear layer over the whole 7 x 7 map."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            ConvUnit(3, 24, 3, 2),
            Residual(24, 32, 2),
            Residual(32, 32, 1),
            Residual(32, 64, 2),
            Residual(64, 64, 1),
            Residual(64, 96, 2),
            Residual(96, 96, 1),
        )
        self.reduce = ConvUnit(96, 80, 1)
        self.head = Head(80 * 49)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[n, 3, 112, 112] in [0, 1] -> [n, DIMENSIONS]."""
        y: torch.Tensor = self.head(self.reduce(self.features(x * 2 - 1)).flatten(1))
        return y


class Inception(nn.Module):
    """Four branches side by side: 1x1, 1x1-3x3, 1x1-3x3-3x3, pool-1x1; widths in that order."""

    def __init__(self, inputs: int, one: int, three: int, five: int, pooled: int) -> None:
        super().__init__()
        self.one = ConvUnit(inputs, one, 1)
        self.three = nn.Sequential(ConvUnit(inputs, three // 2, 1), ConvUnit(three // 2, three))
        self.five = nn.Sequential(
            ConvUnit(inputs, five // 2, 1), ConvUnit(five // 2, five), ConvUnit(five, five)
        )
        self.pooled = ConvUnit(inputs, pooled, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[n, inputs, h, w] -> [n, one + three + five + pooled, h, w]."""
        pooled = self.pooled(F.max_pool2d(x, 3, 1, 1))
        return torch.cat([self.one(x), self.three(x), self.five(x), pooled], 1)


class InceptionNet(nn.Module):
    """Inception-like network: early max-pooling, parallel branches, a small map at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            ConvUnit(3, 24, 5, 2),
            nn.MaxPool2d(3, 2, 1),
            ConvUnit(24, 48),
            Inception(48, 24, 32, 24, 16),
            nn.MaxPool2d(3, 2, 1),
            Inception(96, 48, 64, 48, 32),
            Inception(192, 48, 64, 48, 32),
            nn.MaxPool2d(3, 2, 1),
            Inception(192, 64, 96, 64, 32),
            Inception(256, 64, 96, 64, 32),
        )
        self.reduce = ConvUnit(256, 64, 1)
        self.head = Head(64 * 49)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[n, 3, 112, 112] in [0, 1] -> [n, DIMENSIONS]."""
        y: torch.Tensor = self.head(self.reduce(self.features(x * 2 - 1)).flatten(1))
        return y


class Block(nn.Module):
    """Pre-norm transformer block: attention over tokens, then a two-layer perceptron."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm_mlp = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 3 * width), nn.GELU(), nn.Linear(3 * width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[n, tokens, width] -> the same shape."""
        n, tokens, width = x.shape
        qkv = self.qkv(self.norm_attention(x)).view(n, tokens, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, tokens, width)
        x = x + self.out(mixed)
        y: torch.Tensor = x + self.mlp(self.norm_mlp(x))
        return y


class TransformerNet(nn.Module):
    """Vision transformer on 7 x 7 tokens that a convolutional stem makes."""

    def __init__(self, width: int = 128, depth: int = 4, heads: int = 4) -> None:
        super().__init__()
        self.stem = nn.Sequential(ConvUnit(3, 24, 3, 2), ConvUnit(24, 48, 3, 2), ConvUnit(48, 80, 3, 2))
        self.patch = nn.Conv2d(80, width, 2, 2)
        self.position = nn.Parameter(torch.randn(1, 49, width) * 0.02)
        self.blocks = nn.Sequential(*[Block(width, heads) for _ in range(depth)])
        self.norm = nn.LayerNorm(width)
        self.reduce = nn.Linear(width, 24)
        self.head = Head(24 * 49)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[n, 3, 112, 112] in [0, 1] -> [n, DIMENSIONS]."""
        tokens = self.patch(self.stem(x * 2 - 1)).flatten(2).transpose(1, 2) + self.position
        tokens = self.reduce(self.norm(self.blocks(tokens)))
        y: torch.Tensor = self.head(tokens.flatten(1))
        return y


NETS: dict[str, Callable[[], nn.Module]] = {
    "synth-ir": ResidualNet,
    "synth-inc": InceptionNet,
    "synth-vit": TransformerNet,
}


def fold(net: nn.Module) -> nn.Module:
    """A copy in eval mode whose batch norms are melted into the layers before them: the same function."""
    out = copy.deepcopy(net).eval()
    for module in out.modules():
        if isinstance(module, ConvUnit) and isinstance(module.norm, nn.BatchNorm2d):
            module.conv = nn.utils.fusion.fuse_conv_bn_eval(module.conv, module.norm)
            module.norm = nn.Identity()
        elif isinstance(module, Head) and isinstance(module.norm, nn.BatchNorm1d):
            module.linear = nn.utils.fusion.fuse_linear_bn_eval(module.linear, module.norm)
            module.norm = nn.Identity()
    return out


def skeleton(name: str) -> nn.Module:
    """The folded network of one encoder, in eval mode, with weights still to be loaded.

    Args:
        name: one of `NETS`.
    """
    return fold(NETS[name]())
