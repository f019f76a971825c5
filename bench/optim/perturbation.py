"""What is optimised: every photo's own pixels, or one mask a user. Levels of 8 bits throughout.

Both keep the same promise at every step: `pixels` are whole numbers in [0, 255], differ from the original by
no more than the bounds allow, and only inside the region. So every forward pass is of a photo that could be
released.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch

from bench.descent import Descent, Pictures, Turn
from bench.faces.align import matrix
from bench.optim.limits import Bounds, project
from bench.optim.patches import Patch, Stack
from bench.optim.randomness import generator
from bench.optim.sampling import bilinear
from bench.optim.updates import levelled, update_of
from bench.optim.warping import grids
from bench.types import ARCFACE_CROP


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
        stacks: The patches.
        patches: The same patches, by photo.
        bounds: What every photo keeps.
        descent: How the pixels move.
        seed: The seed of the run.
        digests: The content digest of each photo.
        batch: How many photos are held to measured limits at once.
    """

    def __init__(
        self,
        stacks: Sequence[Stack],
        patches: Sequence[Patch],
        bounds: Bounds,
        descent: Descent,
        seed: int,
        digests: Sequence[str],
        batch: int,
    ) -> None:
        self._stacks, self._bounds, self._batch = stacks, bounds, batch
        self._steps, self._update = descent.steps, update_of(descent)
        self._change = [torch.zeros(s.original.shape, device=s.original.device) for s in stacks]
        self._memory = [[torch.zeros_like(c) for _ in range(self._update.memory)] for c in self._change]
        self._taken = [torch.zeros((len(c), 1, 1, 1), device=c.device) for c in self._change]
        start = _reach_of_start(bounds, descent)
        if start > 0:
            self._start(patches, start, seed, digests)

    def pixels(self, stack: int, rows: torch.Tensor) -> torch.Tensor:
        """See `Perturbation`."""
        return self._stacks[stack].original[rows] + self._change[stack][rows].round()

    def absorb(self, stack: int, rows: torch.Tensor, gradient: torch.Tensor) -> None:
        """Photo by photo."""
        self._taken[stack][rows] += 1
        memory = [kept[rows] for kept in self._memory[stack]]
        self._update.absorb(self._change[stack][rows], gradient, memory, self._turn(stack, rows))
        for kept, new in zip(self._memory[stack], memory, strict=True):
            kept[rows] = new

    def advance(self, photos: torch.Tensor) -> None:
        """A step, and back into the bounds."""
        for s, stack in enumerate(self._stacks):
            for rows in photos[stack.places].nonzero()[:, 0].split(self._batch):
                memory = [kept[rows] for kept in self._memory[s]]
                moved = self._update.step(self._change[s][rows], memory, self._turn(s, rows))
                self._change[s][rows] = self._held(s, rows, moved)

    def moving(self, reached: torch.Tensor) -> torch.Tensor:
        """Photo by photo."""
        return ~reached

    def _turn(self, stack: int, rows: torch.Tensor) -> Turn:
        def extent() -> tuple[torch.Tensor, torch.Tensor]:
            original = self._stacks[stack].original[rows].float()
            return -original, 255 - original

        return Turn(self._steps, self._taken[stack][rows], self._bounds.limit, extent)

    def _held(self, stack: int, rows: torch.Tensor, change: torch.Tensor) -> torch.Tensor:
        own = self._stacks[stack]
        return hold(change, own, rows, self._bounds)

    def _start(self, patches: Sequence[Patch], largest: int, seed: int, digests: Sequence[str]) -> None:
        for s, stack in enumerate(self._stacks):
            start = np.zeros(stack.original.shape, np.int16)  # one transfer, not one for each photo
            for row, photo in enumerate(stack.members):
                height, width = patches[photo].region.shape
                draw = generator(seed, digests[photo], "start")
                start[row, :, :height, :width] = draw.integers(
                    -largest, largest + 1, (3, height, width), np.int16
                )
            self._change[s] = torch.from_numpy(start).to(self._change[s])
            for rows in torch.arange(len(stack.members), device=stack.places.device).split(self._batch):
                self._change[s][rows] = self._held(s, rows, self._change[s][rows])


class UserMask:
    """One mask a user, in the frame of the aligned face, laid onto each of the user's photos.

    Args:
        stacks: The patches.
        patches: The same patches, by photo.
        owners: int64 [photo]: Which user's mask each photo wears.
        bounds: What every photo keeps.
        descent: How the masks move.
        masks: float [user, 3, 112, 112]: The masks at first; they are changed in place.
    """

    def __init__(
        self,
        stacks: Sequence[Stack],
        patches: Sequence[Patch],
        owners: torch.Tensor,
        bounds: Bounds,
        descent: Descent,
        masks: torch.Tensor,
    ) -> None:
        self._stacks, self._bounds, self._owners = stacks, bounds, owners
        self._steps, self._update = descent.steps, update_of(descent)
        self.masks = masks
        self._memory = [torch.zeros_like(masks) for _ in range(self._update.memory)]
        self._absorbed = torch.zeros_like(masks)
        self._taken = torch.zeros((len(masks), 1, 1, 1), device=owners.device)
        self._grids = [onto_patches(stack, patches) for stack in stacks]

    def pixels(self, stack: int, rows: torch.Tensor) -> torch.Tensor:
        """See `Perturbation`."""
        own = self._stacks[stack]
        laid = self._laid(self.masks[self._owner(stack, rows)], stack, rows)
        return own.original[rows] + hold(laid, own, rows, self._bounds).round_()

    def absorb(self, stack: int, rows: torch.Tensor, gradient: torch.Tensor) -> None:
        """Carry the gradient back onto the mask; every photo of a user weighs the same."""
        owner = self._owner(stack, rows)
        masks = self.masks[owner].requires_grad_(True)
        seen = levelled(gradient) * self._stacks[stack].region[rows]
        (back,) = torch.autograd.grad(self._laid(masks, stack, rows), masks, seen)
        # a sum by matrix product: index_add_ has no fixed order on a GPU
        mine = (owner[None] == torch.arange(len(self.masks), device=owner.device)[:, None]).to(back)
        self._absorbed += (mine @ back.flatten(1)).view_as(self._absorbed)

    def advance(self, photos: torch.Tensor) -> None:
        """One step of the masks of the users who own the photos."""
        users = self._owners[photos].unique()
        self._taken[users] += 1
        memory = [kept[users] for kept in self._memory]
        values, turn = self.masks[users], self._turn(users)
        self._update.absorb(values, self._absorbed[users], memory, turn)
        moved = self._update.step(values, memory, turn)
        for kept, new in zip(self._memory, memory, strict=True):
            kept[users] = new
        largest = min(self._bounds.limit, 255)
        self.masks[users] = moved.clamp_(-largest, largest)
        self._absorbed.zero_()

    def moving(self, reached: torch.Tensor) -> torch.Tensor:
        """A user's photos go on together until all have reached their goal."""
        waiting = torch.zeros(len(self.masks), dtype=torch.bool, device=reached.device)
        waiting[self._owners[~reached]] = True
        return waiting[self._owners]

    def _turn(self, users: torch.Tensor) -> Turn:
        def extent() -> tuple[torch.Tensor, torch.Tensor]:
            largest = torch.full_like(self.masks[users], min(self._bounds.limit, 255))
            return -largest, largest

        return Turn(self._steps, self._taken[users], self._bounds.limit, extent)

    def _owner(self, stack: int, rows: torch.Tensor) -> torch.Tensor:
        return self._owners[self._stacks[stack].places[rows]]

    def _laid(self, masks: torch.Tensor, stack: int, rows: torch.Tensor) -> torch.Tensor:
        return bilinear(masks, self._grids[stack][rows])


def first_masks(
    owners: torch.Tensor, bounds: Bounds, descent: Descent, seed: int, digests: Sequence[str]
) -> torch.Tensor:
    """Where the masks of users start: float [user, 3, 112, 112], zero or whole levels drawn uniformly.

    A user's draw depends on the seed and on which photos the user has, not on their order or on other users.

    Args:
        owners: int64 [photo].
        bounds: What every photo keeps.
        descent: How far from zero a mask starts.
        seed: The seed of the run.
        digests: The content digest of each photo.
    """
    masks = np.zeros((int(owners.max()) + 1, 3, ARCFACE_CROP.size, ARCFACE_CROP.size), np.float32)
    largest = _reach_of_start(bounds, descent)
    if largest > 0:
        whose = owners.tolist()
        for user, mask in enumerate(masks):
            own = sorted(digest for digest, owner in zip(digests, whose, strict=True) if owner == user)
            mask[:] = generator(seed, "\0".join(own), "mask").integers(-largest, largest + 1, mask.shape)
    return torch.from_numpy(masks).to(owners.device)


def _reach_of_start(bounds: Bounds, descent: Descent) -> int:
    return int(bounds.limit) if descent.random_start else descent.start


def hold(change: torch.Tensor, stack: Stack, rows: torch.Tensor, bounds: Bounds) -> torch.Tensor:
    """Bring the change of some photos of a stack back into the region, the range of 8 bits and all bounds."""
    original = stack.original[rows]

    def pictures(some: torch.Tensor, levels: torch.Tensor) -> Pictures:
        return stack.pictures(rows[some], levels)

    return bounds.shrink(project(change, original, stack.region[rows], bounds.levels), original, pictures)


def onto_patches(stack: Stack, patches: Sequence[Patch]) -> torch.Tensor:
    """Where each patch pixel looks in its user's mask: [n, height, width, 2] in grid_sample's units."""
    height, width = stack.original.shape[2:]
    side = max(height, width)
    frames = []
    for photo in stack.members:
        patch = patches[photo]
        shift = np.array([[1, 0, patch.left], [0, 1, patch.top], [0, 0, 1.0]])
        onto = np.vstack([matrix(patch.face, ARCFACE_CROP) @ shift, [0, 0, 1]])
        frames.append(np.linalg.inv(onto)[:2])
    back = torch.from_numpy(np.stack(frames)).to(stack.original.device)
    full = grids(back, ARCFACE_CROP.size, ARCFACE_CROP.size, side, 1, torch.float32)
    return full[:, :height, :width]
