"""Crops as everybody here passes them on -> input as one network was trained on it."""

from __future__ import annotations

import torch
from torch import nn

from bench.types import Preprocessing


class Prepare(nn.Module):
    """A card's preprocessing: differentiable, and nothing at all where the card asks for nothing."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, asked: Preprocessing) -> None:
        super().__init__()
        usual = Preprocessing()
        self.swap = asked.colour == "bgr"
        self.last = asked.layout == "nhwc"
        self.scale = (asked.mean, asked.std) != (usual.mean, usual.std)
        self.register_buffer("mean", torch.tensor(asked.mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(asked.std).view(1, 3, 1, 1))

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        """RGB [n, 3, size, size] in [0, 1] -> what the network takes."""
        if self.swap:
            crops = crops.flip(1)
        if self.scale:
            crops = (crops * 255 - self.mean) / self.std
        return crops.permute(0, 2, 3, 1).contiguous() if self.last else crops


class Prepared(nn.Module):
    """A network behind its preprocessing: unit-range RGB crops -> embeddings [n, dimensions]."""

    def __init__(self, network: nn.Module, asked: Preprocessing) -> None:
        super().__init__()
        self.prepare = Prepare(asked)
        self.network = network

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        """[n, 3, size, size] in [0, 1] -> [n, dimensions], not normalised."""
        out: torch.Tensor = self.network(self.prepare(crops))
        return out.flatten(1)


def sample(size: int, count: int) -> torch.Tensor:
    """Smooth squares [count, 3, size, size] in [0, 1], always the same: to try a network on."""
    coarse = torch.rand(count, 3, 9, 9, generator=torch.Generator().manual_seed(5))
    return nn.functional.interpolate(coarse, (size, size), mode="bicubic").clamp(0, 1)
