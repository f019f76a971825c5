"""Aligned crops for training, cut on the device, with a detector's errors in the landmarks."""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as F  # noqa: N812 - the name every torch program uses

from bench.types import ARCFACE_CROP

BIAS = ((2.1, -0.6), (1.1, -0.9), (1.0, -0.4), (-0.2, 2.8), (2.5, 2.5))
"""The mean error of MTCNN's landmarks on drawn faces, in pixels (120 photos of 30 validation people)."""

EACH, SHARED = 1.8, 1.2
"""Standard deviation of a landmark's own error per coordinate there, and of what all five have in common."""


@cache
def _points(values: tuple[tuple[float, float], ...], device: torch.device) -> torch.Tensor:
    """Constants on a device, copied there once: every copy would wait for the device."""
    return torch.tensor(values, device=device)


def mistaken(landmarks: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Landmarks with a detector's errors: half to one and a half times its measured errors.

    Args:
        landmarks: float [n, 5, 2], the true landmarks in pixels.
        generator: A generator on the same device.
    """

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator, device=landmarks.device)

    n = len(landmarks)
    strength = 0.5 + torch.rand((n, 1, 1), generator=generator, device=landmarks.device)
    error = _points(BIAS, landmarks.device) + EACH * normal(n, 5, 2) + SHARED * normal(n, 1, 2)
    return landmarks + strength * error


def cut(photos: torch.Tensor, landmarks: torch.Tensor) -> torch.Tensor:
    """Cut the crops that `bench.faces.align` would cut, for a batch on the device; bilinear, black outside.

    The similarity is that of `bench.faces.align.similarity`, inverted in closed form. A face more than twice
    as large as its crop is not averaged down first; the built-in photos have none.

    Args:
        photos: uint8 [n, height, width, 3].
        landmarks: float32 [n, 5, 2], in pixels.

    Returns:
        float32 [n, 3, 112, 112] in [0, 1], channels last in memory.
    """
    height, width = photos.shape[1:3]
    size = ARCFACE_CROP.size
    template = _points(ARCFACE_CROP.template, photos.device)
    centre, target = landmarks.mean(1), template.mean(0)
    dp, dq = landmarks - centre[:, None], template - target
    spread = dp.square().sum((1, 2))
    a = (dp * dq).sum((1, 2)) / spread
    b = (dp[..., 0] * dq[:, 1] - dp[..., 1] * dq[:, 0]).sum(1) / spread
    # crop pixel q looks at photo pixel p = centre + R^-1 (q - target), R = [[a, -b], [b, a]]
    scale = a.square() + b.square()
    a, b = a / scale, b / scale
    axis = torch.arange(size, device=photos.device, dtype=torch.float32)
    qx, qy = axis[None, None, :] - target[0], axis[None, :, None] - target[1]
    px = centre[:, 0, None, None] + a[:, None, None] * qx + b[:, None, None] * qy
    py = centre[:, 1, None, None] - b[:, None, None] * qx + a[:, None, None] * qy
    grid = torch.stack([(px + 0.5) * 2 / width - 1, (py + 0.5) * 2 / height - 1], -1)
    pictures = photos.permute(0, 3, 1, 2).float().div(255)
    crops = F.grid_sample(pictures, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return crops.contiguous(memory_format=torch.channels_last)
