"""One face in the frame of ArcFace-type encoders, and a mask laid from that frame onto one photo."""

from __future__ import annotations

import numpy as np
import torch

from bench.faces.align import convert, matrix, warp
from bench.optim.patches import Stack, cut
from bench.optim.perturbation import onto_patches
from bench.optim.sampling import bilinear
from bench.types import ARCFACE_CROP, Face, Image


def aligned(photo: Image, face: Face) -> torch.Tensor:
    """See `bench.protocols.Engine.aligned`."""
    m, size = matrix(face, ARCFACE_CROP), ARCFACE_CROP.size
    return warp(convert(photo, m, size), m[None], size)[0] * 255


def laid(mask: torch.Tensor, photo: Image, face: Face) -> Image:
    """See `bench.protocols.Engine.laid`."""
    patch = cut(photo, face, ())
    stack = Stack([0], [patch], (), torch.device("cpu"))
    change = bilinear(mask[None], onto_patches(stack, [patch])) * stack.region
    levels = (stack.original + change.round()).clamp(0, 255).to(torch.uint8)[0].permute(1, 2, 0).numpy()
    height, width = patch.region.shape
    released = photo.copy()
    released[patch.top : patch.top + height, patch.left : patch.left + width] = levels[:height, :width]
    return np.ascontiguousarray(released)
