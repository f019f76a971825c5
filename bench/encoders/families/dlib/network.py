"""dlib's residual network of 29 convolutions in torch, with gradients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F  # noqa: N812 - the name every torch program uses
from torch import nn

from bench.encoders.families.dlib.released import Convolution, NotThisNetworkError, Numbers

SIDE = 150
BLOCKS = (3, 4, 3, 3, 1)
"""How many blocks work on maps of one size; the first block of each group but the first halves the size."""


class ResidualNetwork(nn.Module):
    """The whole network: prepared crops [n, 3, 150, 150] -> embeddings [n, 128], not normalised.

    Source: `anet_type` of dlib's examples/dnn_face_recognition_ex.cpp.
    """

    def __init__(self, convolutions: Sequence[Convolution], matrix: Numbers) -> None:
        """Put the numbers in their places.

        Args:
            convolutions: From the input on.
            matrix: [features, dimensions] of the last layer.

        Raises:
            NotThisNetworkError: if they are not those of this network.
        """
        super().__init__()
        if len(convolutions) != 1 + 2 * sum(BLOCKS):
            raise NotThisNetworkError(f"it has {len(convolutions)} convolutions, not {1 + 2 * sum(BLOCKS)}")
        rest = iter(convolutions)
        self.first = _convolution(next(rest), 3, 7)
        if (self.first.stride[0], self.first.padding[0]) != (2, 0):
            raise NotThisNetworkError("it begins with a convolution of another kind")
        self.blocks = nn.Sequential(*_blocks(rest, self.first.out_channels, _pooled(_strided(SIDE, 7))))
        features, dimensions = matrix.shape
        if features != _channels(self.blocks):
            raise NotThisNetworkError(
                f"its last layer takes {features} numbers, not {_channels(self.blocks)}"
            )
        self.last = nn.Linear(features, dimensions, bias=False)
        with torch.no_grad():
            self.last.weight.copy_(torch.from_numpy(matrix.copy()).T)

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        """The embeddings."""
        maps = F.max_pool2d(torch.relu(self.first(crops)), 3, 2)
        out: torch.Tensor = self.last(self.blocks(maps).mean((2, 3)))
        return out


class Block(nn.Module):
    """Two convolutions beside a shortcut.

    A block that halves averages in its shortcut. Where shortcut and convolutions differ in channels, or by a
    row and a column, the smaller is filled up with zeros.
    """

    def __init__(self, first: nn.Conv2d, second: nn.Conv2d, side: int) -> None:
        """Store both.

        Args:
            first: Halves where its stride is 2.
            second: Keeps the size.
            side: Of the maps that go in.
        """
        super().__init__()
        self.first, self.second = first, second
        self.halves = first.stride[0] == 2
        self.more_channels = second.out_channels - first.in_channels
        self.short = side // 2 - _strided(side, 3) if self.halves else 0

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """[n, channels, side, side] -> maps of the same or of half the size."""
        sought = self.second(torch.relu(self.first(maps)))
        if not self.halves:
            return torch.relu(sought + maps)
        kept = F.pad(F.avg_pool2d(maps, 2, 2), (0, 0, 0, 0, 0, self.more_channels))
        return torch.relu(F.pad(sought, (0, self.short, 0, self.short)) + kept)


def _blocks(convolutions: Iterator[Convolution], channels: int, side: int) -> Iterator[Block]:
    for group, count in enumerate(BLOCKS):
        for number in range(count):
            first = _convolution(next(convolutions), channels, 3)
            second = _convolution(next(convolutions), first.out_channels, 3)
            halves = group > 0 and number == 0
            kinds = first.stride[0], first.padding[0], second.stride[0], second.padding[0]
            if kinds != ((2, 0, 1, 1) if halves else (1, 1, 1, 1)) or second.out_channels < channels:
                raise NotThisNetworkError("it has a block of another kind")
            yield Block(first, second, side)
            channels, side = second.out_channels, side // 2 if halves else side


def _convolution(given: Convolution, channels: int, window: int) -> nn.Conv2d:
    filters, *kind = given.weights.shape
    if kind != [channels, window, window]:
        raise NotThisNetworkError(f"it has a convolution of {kind}, not {[channels, window, window]}")
    made = nn.Conv2d(channels, filters, window, given.stride, given.padding)
    with torch.no_grad():
        made.weight.copy_(torch.from_numpy(given.weights.copy()))
        assert made.bias is not None
        made.bias.copy_(torch.from_numpy(given.bias.copy()))
    return made


def _channels(blocks: nn.Sequential) -> int:
    last = blocks[-1]
    assert isinstance(last, Block)
    return last.second.out_channels


def _strided(side: int, window: int) -> int:
    """The side of what a window leaves that moves by 2 and stays inside."""
    return (side - window) // 2 + 1


def _pooled(side: int) -> int:
    return _strided(side, 3)
