"""Random resizing and padding of aligned faces (Xie et al., ICLR 2018), several times, deterministically."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.store.digests import digest

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class ResizePad:
    """Looks at a face several times: as it is, and smaller at random places of a black crop.

    It works on the aligned face. A photo that was resized and padded would be detected and aligned again,
    which undoes both.

    Attributes:
        looks: How many times besides the face as it is.
        least: The smallest side, as a share of the crop's, in (0, 1).
        seed: The seed; sides and places follow from it and from the photo's digest.
    """

    looks: int
    least: float
    seed: int

    def __call__(self, crop: torch.Tensor, photo: str) -> torch.Tensor:
        """Float32 [1, 3, size, size] -> [looks + 1, 3, size, size], the face as it is first.

        Args:
            crop: The aligned face, in [0, 1].
            photo: The photo's digest.
        """
        import torch
        from torch.nn import functional

        size = crop.shape[-1]
        draw = np.random.Generator(np.random.Philox(int(digest(self.seed, photo)[:16], 16)))
        seen = [crop]
        for _ in range(self.looks):
            side = int(draw.integers(min(round(self.least * size), size - 1), size))
            left, top = (int(offset) for offset in draw.integers(0, size - side + 1, 2))
            smaller = functional.interpolate(crop, (side, side), mode="bilinear", antialias=True)
            right, below = size - side - left, size - side - top
            seen.append(functional.pad(smaller.clamp(0, 1), (left, right, top, below)))
        return torch.cat(seen)
