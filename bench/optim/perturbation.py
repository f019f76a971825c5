"""What is optimised: every photo's own pixels, or one mask a user. Levels of 8 bits throughout.

Both keep the same promise at every step: `pixels` are whole numbers in [0, 255], differ from the original by
at most the budget, and only inside the region. So every forward pass is of the photo that would be released.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch

from bench.faces.align import matrix
from bench.optim.patches import Patch, Stack
from bench.optim.randomness import generator
from bench.optim.sampling import bilinear
from bench.optim.warping import grids
from bench.protocols import Descent
from bench.types import ARCFACE_CROP, Face


class Perturbation(Protocol):
    """Something that can be added to patches and follow a gradient of them."""

    def pixels(self, stack: int, rows: torch.Tensor) -> torch.Tensor:
        """The photos as they would be released: float [n, 3, height, width], whole levels."""

    def absorb(self, stack: int, rows: torch.Tensor, gradient: torch.Tensor) -> None:
        """Take in the gradient of the loss towards `pixels`."""

    def advance(self, photos: torch.Tensor) -> None:
        """Take one step with what was absorbed, for the photos marked in bool [photo]."""

    def moving(self, reached: torch.Tensor) -> torch.Tensor:
        """Which photos go on, given which have reached their goal: bool [photo]."""


class OwnPixels:
    """Each photo has a perturbation of its own pixels.

    Args:
        stacks: the patches.
        patches: the same, by photo.
        limit: budget in whole levels.
        descent: step length, momentum, start.
        seed: of the run.
        digests: one a photo.
    """

    def __init__(
        self,
        stacks: Sequence[Stack],
        patches: Sequence[Patch],
        limit: int,
        descent: Descent,
        seed: int,
        digests: Sequence[str],
    ) -> None:
        self._stacks = stacks
        self._limit = limit
        self._step = descent.reach * limit / descent.steps
        self._decay = descent.momentum
        self._delta = [torch.zeros(s.original.shape, device=s.original.device) for s in stacks]
        self._velocity = [torch.zeros_like(d) for d in self._delta]
        if descent.random_start:
            self._start(patches, seed, digests)

    def pixels(self, stack: int, rows: torch.Tensor) -> torch.Tensor:
        """See `Perturbation`."""
        return self._stacks[stack].original[rows] + self._delta[stack][rows].round()

    def absorb(self, stack: int, rows: torch.Tensor, gradient: torch.Tensor) -> None:
        """Momentum of the gradient, each scaled to mean magnitude one (MI-FGSM, equation 6)."""
        scaled = gradient / gradient.abs().mean((1, 2, 3), keepdim=True).clamp_min(1e-30)
        velocity = self._velocity[stack]
        velocity[rows] = velocity[rows].mul_(self._decay).add_(scaled)

    def advance(self, photos: torch.Tensor) -> None:
        """A step down along the sign (MI-FGSM, equation 7), back into the budget and the range of 8 bits."""
        for s, stack in enumerate(self._stacks):
            rows = photos[stack.places].nonzero()[:, 0]
            if len(rows):
                moved = self._delta[s][rows].sub_(self._velocity[s][rows].sign_(), alpha=self._step)
                self._delta[s][rows] = project(moved, stack.original[rows], stack.region[rows], self._limit)

    def moving(self, reached: torch.Tensor) -> torch.Tensor:
        """Photo by photo."""
        return ~reached

    def _start(self, patches: Sequence[Patch], seed: int, digests: Sequence[str]) -> None:
        for s, stack in enumerate(self._stacks):
            for row, photo in enumerate(stack.members):
                height, width = patches[photo].region.shape
                draw = generator(seed, digests[photo], "start")
                levels = draw.integers(-self._limit, self._limit + 1, (3, height, width), np.int16)
                self._delta[s][row, :, :height, :width] = torch.from_numpy(levels)
            self._delta[s] = project(self._delta[s], stack.original, stack.region, self._limit)


class UserMask:
    """One mask a user, in the frame of the aligned face, laid onto each of the user's photos.

    Args:
        stacks: the patches.
        patches: the same, by photo.
        faces: the face of each photo.
        owners: int64 [photo]: which user's mask each photo wears.
        limit: budget in whole levels.
        descent: step length, momentum; a mask always starts at zero.
        masks: float [user, 3, 112, 112] to lay on; zeros when absent.
    """

    def __init__(
        self,
        stacks: Sequence[Stack],
        patches: Sequence[Patch],
        faces: Sequence[Face],
        owners: torch.Tensor,
        limit: int,
        descent: Descent,
        masks: torch.Tensor | None = None,
    ) -> None:
        self._stacks, self._limit, self._owners = stacks, limit, owners
        self._step = descent.reach * limit / descent.steps
        self._decay = descent.momentum
        side, users = ARCFACE_CROP.size, int(owners.max()) + 1
        if masks is None:
            masks = torch.zeros((users, 3, side, side), device=owners.device)
        self.masks = masks
        self._velocity, self._absorbed = torch.zeros_like(masks), torch.zeros_like(masks)
        self._grids = [_onto_patches(stack, patches, faces) for stack in stacks]

    def pixels(self, stack: int, rows: torch.Tensor) -> torch.Tensor:
        """See `Perturbation`."""
        own = self._stacks[stack]
        laid = self._laid(self.masks[self._owner(stack, rows)], stack, rows)
        original = own.original[rows]
        return original + project(laid, original, own.region[rows], self._limit).round_()

    def absorb(self, stack: int, rows: torch.Tensor, gradient: torch.Tensor) -> None:
        """Carry the gradient back onto the mask; every photo of a user weighs the same."""
        scaled = gradient / gradient.abs().mean((1, 2, 3), keepdim=True).clamp_min(1e-30)
        owner = self._owner(stack, rows)
        masks = self.masks[owner].requires_grad_(True)
        seen = scaled * self._stacks[stack].region[rows]
        (back,) = torch.autograd.grad(self._laid(masks, stack, rows), masks, seen)
        # a sum by matrix product: index_add_ has no fixed order on a GPU
        mine = (owner[None] == torch.arange(len(self.masks), device=owner.device)[:, None]).to(back)
        self._absorbed += (mine @ back.flatten(1)).view_as(self._absorbed)

    def advance(self, photos: torch.Tensor) -> None:
        """One momentum-iterative step of the masks of the users who own the photos."""
        users = self._owners[photos].unique()
        total = self._absorbed[users]
        scaled = total / total.abs().mean((1, 2, 3), keepdim=True).clamp_min(1e-30)
        velocity = self._velocity[users].mul_(self._decay).add_(scaled)
        self._velocity[users] = velocity
        self.masks[users] = (self.masks[users] - self._step * velocity.sign()).clamp_(
            -self._limit, self._limit
        )
        self._absorbed.zero_()

    def moving(self, reached: torch.Tensor) -> torch.Tensor:
        """A user's photos go on together until all have reached their goal."""
        waiting = torch.zeros(len(self.masks), dtype=torch.bool, device=reached.device)
        waiting[self._owners[~reached]] = True
        return waiting[self._owners]

    def _owner(self, stack: int, rows: torch.Tensor) -> torch.Tensor:
        return self._owners[self._stacks[stack].places[rows]]

    def _laid(self, masks: torch.Tensor, stack: int, rows: torch.Tensor) -> torch.Tensor:
        return bilinear(masks, self._grids[stack][rows])


def project(delta: torch.Tensor, original: torch.Tensor, region: torch.Tensor, limit: int) -> torch.Tensor:
    """Bring a perturbation into the budget, into the region, and the photo into [0, 255]; in place.

    Rounding the result keeps all three, because the original and the limit are whole numbers.

    Args:
        delta: float [n, 3, height, width] in levels.
        original: uint8, the same shape.
        region: bool [n, 1, height, width].
        limit: whole levels.
    """
    clean = original.to(delta.dtype)
    return torch.clamp(delta, -limit, limit, out=delta).add_(clean).clamp_(0, 255).sub_(clean).mul_(region)


def _onto_patches(stack: Stack, patches: Sequence[Patch], faces: Sequence[Face]) -> torch.Tensor:
    """Where each patch pixel looks in its user's mask: [n, height, width, 2] in grid_sample's units."""
    height, width = stack.original.shape[2:]
    side = max(height, width)
    frames = []
    for photo in stack.members:
        patch = patches[photo]
        shift = np.array([[1, 0, patch.left], [0, 1, patch.top], [0, 0, 1.0]])
        there = np.vstack([matrix(faces[photo], ARCFACE_CROP) @ shift, [0, 0, 1]])
        frames.append(np.linalg.inv(there)[:2])
    back = torch.from_numpy(np.stack(frames)).to(stack.original.device)
    full = grids(back, ARCFACE_CROP.size, ARCFACE_CROP.size, side, 1, torch.float32)
    return full[:, :height, :width]


def whole_levels(budget: float) -> int:
    """The budget that 8-bit values can spend: N of 255, rounded down."""
    return math.floor(budget)
