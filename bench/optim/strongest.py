"""The strongest of a family of changes that a budget allows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from bench.optim.limits import Bounds
from bench.optim.patches import Patch, Stack
from bench.types import Image

_HALVINGS = 14
"""How finely the share is sought: to one part in 2^14."""


def strongest(patch: Patch, bounds: Bounds, change: Callable[[float], Image]) -> Image:
    """The changed photo with the largest share that is within the bounds, found by bisection.

    Args:
        patch: The photo's patch, with surroundings enough for the measures.
        bounds: What the changed photo keeps.
        change: A share in [0, 1] -> a changed photo of 8 bits; more is further from the original, and 0 is
            the original itself.
    """
    stack = Stack([0], [patch], (), torch.device("cpu"))
    height, width = patch.region.shape
    place = (slice(patch.top, patch.top + height), slice(patch.left, patch.left + width))
    rows = torch.zeros(1, dtype=torch.int64)

    def within(photo: Image) -> bool:
        difference = photo[place].astype(np.int16) - patch.pixels
        if bounds.levels is not None and int(np.abs(difference).max()) > bounds.levels:
            return False
        levels = stack.original.float()
        levels[0, :, :height, :width] += torch.from_numpy(difference.transpose(2, 0, 1))
        return not bounds.measured or bool(bounds.excess(stack.pictures(rows, levels)) <= 1)

    best = change(1.0)
    if within(best):
        return best
    low, high, best = 0.0, 1.0, patch.photo.copy()
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        photo = change(middle)
        if within(photo):
            low, best = middle, photo
        else:
            high = middle
    return best
