"""The networks that a denoiser can be: photos in, the estimated cloak out, at half the photo's resolution.

`Residual` is laid out as DnCNN (Zhang et al., TIP 2017) on the four times as many channels of FFDNet (Zhang,
Zuo and Zhang, TIP 2018). `UNet` looks further: it repeats this at a quarter and an eighth of the resolution,
with lateral connections that are added, as the denoising U-Net of Liao et al. (CVPR 2018), and with residual
blocks, as DRUNet (Zhang et al., TPAMI 2022). Widths and depths are this project's choice.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import ClassVar

import torch
import torch.nn.functional as F  # noqa: N812 - the name every torch program uses
from torch import nn


class Network(nn.Module):
    """What both networks have: photos [n, 3, height, width] in [0, 1] -> a cloak of the same shape.

    Attributes:
        reach: The distance in pixels that a result can depend on, a multiple of `sides`.
        sides: What height and width are multiples of.
        patch: The side in pixels of the patches that it learns from.
    """

    reach: ClassVar[int]
    sides: ClassVar[int]
    patch: ClassVar[int]

    def silent(self) -> Iterable[nn.Conv2d]:
        """The layers that begin as zeros, so that a fresh network removes nothing."""
        raise NotImplementedError

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        """Estimate the cloak."""
        mean = F.avg_pool2d(photos, 5, 1, 2, count_include_pad=False)
        # what a cloak adds is small beside the photo: shown apart, and larger, it is learned much sooner
        x = F.pixel_unshuffle(torch.cat([4 * (photos - 0.5), 16 * (photos - mean)], 1), 2)
        return 0.1 * F.pixel_shuffle(self.estimate(x), 2)

    def estimate(self, x: torch.Tensor) -> torch.Tensor:
        """[n, 24, height / 2, width / 2] -> [n, 12, height / 2, width / 2]."""
        raise NotImplementedError


class Residual(Network):
    """Six convolutions, 98,748 weights."""

    reach, sides, patch = 16, 2, 32  # 2 of the local mean and 12 of the layers, rounded up
    width, middle = 48, 4

    def __init__(self) -> None:
        """Make the layers without values."""
        super().__init__()
        widths = [24, *[self.width] * (self.middle + 1), 12]
        self.layers = nn.ModuleList(_convolution(a, b) for a, b in pairwise(widths))

    def silent(self) -> Iterable[nn.Conv2d]:
        """See `Network.silent`."""
        return [self.layers[-1]]  # type: ignore[list-item]  # a list of modules forgets what they are

    def estimate(self, x: torch.Tensor) -> torch.Tensor:
        """See `Network.estimate`."""
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        estimated: torch.Tensor = self.layers[-1](x)
        return estimated


class Block(nn.Module):
    """Two convolutions whose result is added to what came in; the second begins as zeros."""

    def __init__(self, width: int) -> None:
        """Make the layers without values."""
        super().__init__()
        self.first, self.second = _convolution(width, width), _convolution(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[n, width, any, any] -> the same shape."""
        added: torch.Tensor = self.second(F.relu(self.first(x)))
        return x + added


class UNet(Network):
    """Three resolutions with seven residual blocks, 1,974,844 weights."""

    # 2 of the local mean, 12 at half, 16 at a quarter and 48 at an eighth of the resolution, and 7 because a
    # cell of the last covers 8 pixels: rounded up
    reach, sides, patch = 88, 8, 64
    widths, deepest = (48, 96, 160), 3

    def __init__(self) -> None:
        """Make the layers without values."""
        super().__init__()
        half, quarter, eighth = self.widths
        self.begin = _convolution(24, half)
        self.down = nn.ModuleList([Block(half), Block(quarter)])
        self.shrink = nn.ModuleList(
            nn.utils.skip_init(nn.Conv2d, a, b, 2, stride=2) for a, b in pairwise(self.widths)
        )
        self.bottom = nn.Sequential(*(Block(eighth) for _ in range(self.deepest)))
        self.grow = nn.ModuleList(
            nn.utils.skip_init(nn.Conv2d, b, 4 * a, 1) for a, b in pairwise(self.widths)
        )
        self.up = nn.ModuleList([Block(half), Block(quarter)])
        self.end = _convolution(half, 12)

    def silent(self) -> Iterable[nn.Conv2d]:
        """See `Network.silent`."""
        return [self.end, *(block.second for block in self.modules() if isinstance(block, Block))]

    def estimate(self, x: torch.Tensor) -> torch.Tensor:
        """See `Network.estimate`."""
        x = self.begin(x)
        lateral = []
        for block, shrink in zip(self.down, self.shrink, strict=True):
            lateral.append(block(x))
            x = shrink(lateral[-1])
        x = self.bottom(x)
        for block, grow in zip(reversed(self.up), reversed(self.grow), strict=True):
            x = block(lateral.pop() + F.pixel_shuffle(grow(x), 2))
        estimated: torch.Tensor = self.end(x)
        return estimated


NETWORKS: dict[str, type[Network]] = {"small": Residual, "large": UNet}
"""Size, as a channel spells it, -> its network."""


def _convolution(before: int, after: int) -> nn.Conv2d:
    # drawing weights here would use the global generator
    layer: nn.Conv2d = nn.utils.skip_init(nn.Conv2d, before, after, 3, padding=1)
    return layer
