"""The part of each photo that matters, cut out and stacked: pixels, region and alignment.

A patch is the smallest rectangle that holds the face region and everything that any surrogate's crop looks
at, so that a crop of the patch equals the crop of the whole photo. Patches are padded to a few sizes and
kept in stacks of one size.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from bench.descent import Pictures
from bench.faces.align import Matrix, matrix
from bench.optim.region import corners, face_region
from bench.optim.warping import factor, grids, sample
from bench.types import Crop, Face, Image

_GRAIN = 16
"""Patches start on multiples of this many pixels: the blocks of a JPEG file with halved colour."""


@dataclass(frozen=True, slots=True)
class Patch:
    """One photo's patch: where it lies, where it may change, and how each crop looks at it.

    Attributes:
        photo: The whole clean photo.
        top: The first row of the patch in the photo.
        left: The first column of the patch in the photo.
        region: bool [height, width] of the patch.
        matrices: A [2, 3] map from patch pixels to crop pixels for each crop.
        factors: The whole factors by which the patch is averaged down before each crop.
        face: The face in the whole photo.
    """

    photo: Image
    top: int
    left: int
    region: npt.NDArray[np.bool_]
    matrices: tuple[Matrix, ...]
    factors: tuple[int, ...]
    face: Face

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of the face's box in the patch, in whole pixels inside the photo.

        The pixels are those of `bench.metrics.perceptual`; the right column and the bottom row lie outside.
        """
        height, width = self.photo.shape[:2]
        x0, y0, x1, y1 = self.face.box
        left, top = max(0, math.floor(x0)), max(0, math.floor(y0))
        right, bottom = min(width, math.ceil(x1)), min(height, math.ceil(y1))
        return left - self.left, top - self.top, right - self.left, bottom - self.top

    @property
    def pixels(self) -> Image:
        """[height, width, 3] of the clean photo."""
        height, width = self.region.shape
        return self.photo[self.top : self.top + height, self.left : self.left + width]


def cut(photo: Image, face: Face, crops: Sequence[Crop], surround: int = 0) -> Patch:
    """Find the patch of one photo.

    Args:
        photo: The clean photo.
        face: The face in it.
        crops: The crops that look at it.
        surround: How many pixels around the face region the patch holds at least, as far as the photo goes.

    Raises:
        ValueError: if the face cannot be aligned or lies outside the photo.
    """
    height, width = photo.shape[:2]
    region = face_region(face, height, width)
    matrices = [matrix(face, crop) for crop in crops]
    factors = [factor(m) for m in matrices]
    ys, xs = region.nonzero()
    low, high = np.array([xs.min(), ys.min()], float), np.array([xs.max(), ys.max()], float)
    low, high = low - surround, high + surround
    for m, crop, k in zip(matrices, crops, factors, strict=True):
        # the crop's outermost samples, and the neighbours that bilinear sampling mixes in
        seen = corners(m, 0, crop.size - 1)
        low, high = np.minimum(low, seen.min(0) - k - 1), np.maximum(high, seen.max(0) + k + 1)
    grain = int(np.lcm.reduce([_GRAIN, *factors]))
    left, top = (np.maximum(np.floor(low / grain), 0) * grain).astype(int)
    right, bottom = np.minimum(np.ceil(high) + 1, [width, height]).astype(int)
    shift = np.array([[1, 0, left], [0, 1, top], [0, 0, 1.0]])
    moved = tuple(m @ shift for m in matrices)
    return Patch(photo, int(top), int(left), region[top:bottom, left:right], moved, tuple(factors), face)


class Stack:
    """Patches of one padded size, and what each crop sees of them.

    Attributes:
        members: which patches (positions in the list that `stacked` got) are in here.
        places: the same, int64 [n] on the device.
        original: uint8 [n, 3, height, width]; zero where a patch is smaller.
        region: bool [n, 1, height, width].
    """

    def __init__(
        self, members: Sequence[int], patches: Sequence[Patch], crops: Sequence[Crop], device: torch.device
    ) -> None:
        self.members = tuple(members)
        self.places = torch.tensor(self.members, device=device)
        self.crops = tuple(crops)
        self.factors = patches[0].factors
        height, width = _padded(patches[0])
        original = np.zeros((len(patches), 3, height, width), np.uint8)
        region = np.zeros((len(patches), 1, height, width), bool)
        sizes = np.array([p.region.shape for p in patches])
        for i, (patch, (h, w)) in enumerate(zip(patches, sizes, strict=True)):
            original[i, :, :h, :w] = patch.pixels.transpose(2, 0, 1)
            region[i, 0, :h, :w] = patch.region
        self.original = torch.from_numpy(original).to(device)
        self.region = torch.from_numpy(region).to(device)
        self.sizes = torch.from_numpy(sizes).to(device)
        self._photos = torch.tensor([p.photo.shape[:2] for p in patches], device=device)
        self._boxes = torch.tensor([p.box for p in patches], device=device)
        points = np.array([p.face.landmarks for p in patches], np.float32)
        corners = np.array([[p.left, p.top] for p in patches], np.float32)
        self.landmarks = torch.from_numpy(points - corners[:, None]).to(device)
        self.matrices = [
            torch.from_numpy(np.stack([p.matrices[c] for p in patches])).to(device) for c in range(len(crops))
        ]
        self._grids = [
            grids(m, height, width, crop.size, k, torch.float32)
            for m, crop, k in zip(self.matrices, crops, self.factors, strict=True)
        ]

    def pictures(self, rows: torch.Tensor, levels: torch.Tensor) -> Pictures:
        """Some photos of the stack with other levels, [n, 3, height, width]."""
        return Pictures(
            levels,
            self.original[rows].to(levels.dtype),
            self.region[rows],
            self.sizes[rows],
            self._photos[rows],
            self._boxes[rows],
            self.landmarks[rows],
        )

    def landmarks_in(self, which: int, rows: torch.Tensor) -> torch.Tensor:
        """The landmarks of some photos in the pixels of a crop: float [n, 5, 2], x and y."""
        matrices = self.matrices[which][rows].to(self.landmarks)
        return self.landmarks[rows] @ matrices[:, :, :2].transpose(1, 2) + matrices[:, None, :, 2]

    def crop(
        self,
        which: int,
        rows: torch.Tensor,
        pixels: torch.Tensor,
        shake: torch.Tensor | None = None,
        points: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """What one crop sees of some patches; differentiable.

        Args:
            which: position of the crop.
            rows: int64 [n]: which patches of this stack `pixels` are of.
            pixels: float [n, 3, height, width] in [0, 1].
            shake: float64 [n, 3, 3]: a map of crop pixels to put after the alignment.
            points: float64 [n, size, size, 2]: where in the shaken crop each pixel looks.

        Returns:
            [n, 3, size, size].
        """
        k = self.factors[which]
        if shake is None and points is None:
            grid = self._grids[which][rows]
        else:
            matrices = self.matrices[which][rows]
            if shake is not None:
                full = torch.cat([matrices, matrices.new_tensor([[[0, 0, 1.0]]]).expand(len(rows), 1, 3)], 1)
                matrices = (shake.to(matrices.device) @ full)[:, :2]
            height, width = self.original.shape[2:]
            flat = None if points is None else points.flatten(1, 2)
            grid = grids(matrices, height, width, self.crops[which].size, k, torch.float32, flat)
        return sample(pixels, grid, k, self.sizes[rows])


def stacked(patches: Sequence[Patch], crops: Sequence[Crop], device: torch.device) -> list[Stack]:
    """Sort patches into stacks of one padded size and one set of factors."""
    groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for i, patch in enumerate(patches):
        groups[(_padded(patch), patch.factors)].append(i)
    return [Stack(members, [patches[i] for i in members], crops, device) for members in groups.values()]


def _padded(patch: Patch) -> tuple[int, int]:
    """Height and width rounded up, coarser for larger patches: at most a fifth is wasted on each side."""
    height, width = patch.region.shape
    return _rounded(height), _rounded(width)


def _rounded(side: int) -> int:
    grain = 32
    while side > grain * 8:
        grain *= 2
    return -(-side // grain) * grain
