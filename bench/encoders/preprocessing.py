"""From a crop, RGB in [0, 1], to the input that a network was trained on."""

from __future__ import annotations

import torch
from torch import nn

from bench.types import Preprocessing


class Prepare(nn.Module):
    """A card's preprocessing as a differentiable module. The defaults of a card add no operation."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, stated: Preprocessing) -> None:
        super().__init__()
        default = Preprocessing()
        self.swap = stated.colour == "bgr"
        self.last = stated.layout == "nhwc"
        self.scale = (stated.mean, stated.std) != (default.mean, default.std)
        self.register_buffer("mean", torch.tensor(stated.mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(stated.std).view(1, 3, 1, 1))

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        """RGB [n, 3, size, size] in [0, 1] -> what the network takes."""
        if self.swap:
            crops = crops.flip(1)
        if self.scale:
            crops = (crops * 255 - self.mean) / self.std
        return crops.permute(0, 2, 3, 1).contiguous() if self.last else crops


class Prepared(nn.Module):
    """A network behind its preprocessing: unit-range RGB crops -> embeddings [n, dimensions]."""

    def __init__(self, network: nn.Module, stated: Preprocessing) -> None:
        super().__init__()
        self.prepare = Prepare(stated)
        self.network = network

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        """[n, 3, size, size] in [0, 1] -> [n, dimensions], not normalised."""
        out: torch.Tensor = self.network(self.prepare(crops))
        return out.flatten(1)


def sample(size: int, count: int) -> torch.Tensor:
    """Smooth squares, float32 [count, 3, size, size] in [0, 1], always the same: to try a network on."""
    coarse = torch.rand(count, 3, 9, 9, generator=torch.Generator().manual_seed(5))
    return nn.functional.interpolate(coarse, (size, size), mode="bicubic").clamp(0, 1)
