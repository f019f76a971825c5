"""What may happen to a photo between its release and an encoder, and gradients that foresee it.

An attacker finds the face again on the released file, perhaps after a platform has compressed it. Gradients
taken through one fixed alignment and exact pixels fit those alone; these draw a new variation for every step.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812 - the name every torch program uses

from bench.optim.randomness import generator

# ISO/IEC 10918-1, Annex K.1: quantisation of luminance and of chrominance
_LUMINANCE = """
16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55
14 13 16 24 40 57 69 56 14 17 22 29 51 87 80 62
18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92
49 64 78 87 103 121 120 101 72 92 95 98 112 100 103 99"""
_CHROMINANCE = """
17 18 24 47 99 99 99 99 18 21 26 66 99 99 99 99
24 26 56 99 99 99 99 99 47 66 99 99 99 99 99 99
99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99
99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99"""


def shakes(
    seed: int, digests: Sequence[str], steps: int, jitter: float, size: int, copy: int = 0
) -> npt.NDArray[np.float64] | None:
    """Random similarity maps of the aligned crop onto itself, as detecting the face anew would give.

    Input diversity (DI-FGSM, Xie et al. 2019) by the variation that aligned faces really have.

    Args:
        seed: The seed of the run.
        digests: The content digest of each photo.
        steps: How many draws each photo gets.
        jitter: 1 shifts by a normal 2 % of the side along each axis, scales by 3 % and turns by 0.03 rad.
        size: The side of the crop in pixels.
        copy: Which of a step's gradients the draws are for.

    Returns:
        [photo, steps, 3, 3]: crop pixel -> crop pixel; None when jitter is 0.
    """
    if jitter == 0:
        return None
    purpose = _purpose("jitter", copy)
    draws = np.stack([generator(seed, d, purpose).standard_normal((steps, 4)) for d in digests]) * jitter
    scale, angle = np.exp(0.03 * draws[..., 0]), 0.03 * draws[..., 1]
    centre = (size - 1) / 2
    out = np.zeros((*draws.shape[:2], 3, 3))
    out[..., 0, 0] = out[..., 1, 1] = scale * np.cos(angle)
    out[..., 1, 0] = scale * np.sin(angle)
    out[..., 0, 1] = -out[..., 1, 0]
    out[..., 0, 2] = centre - (out[..., 0, 0] + out[..., 0, 1]) * centre + 0.02 * size * draws[..., 2]
    out[..., 1, 2] = centre - (out[..., 1, 0] + out[..., 1, 1]) * centre + 0.02 * size * draws[..., 3]
    out[..., 2, 2] = 1
    return out


def qualities(
    seed: int, digests: Sequence[str], steps: int, lowest: int, copy: int = 0
) -> npt.NDArray[np.int64] | None:
    """JPEG qualities, uniform from `lowest` to 95: [photo, steps]; None when lowest is 0."""
    if lowest == 0:
        return None
    purpose = _purpose("jpeg", copy)
    return np.stack([generator(seed, d, purpose).integers(min(lowest, 95), 96, steps) for d in digests])


def _purpose(name: str, copy: int) -> str:
    """What a step's first gradient draws for has the bare name, as when there was no other."""
    return f"{name} {copy}" if copy else name


def smoothed(gradient: torch.Tensor, sigma: float) -> torch.Tensor:
    """Gaussian convolution of a gradient [n, 3, height, width] (TI-FGSM, Dong et al. 2019, equation 8)."""
    if sigma == 0:
        return gradient
    reach = max(1, round(2 * sigma))
    axis = torch.arange(-reach, reach + 1, dtype=gradient.dtype, device=gradient.device)
    kernel = torch.exp(-(axis**2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).expand(3, 1, 1, -1)
    rows = F.conv2d(gradient, kernel, padding=(0, reach), groups=3)
    return F.conv2d(rows, kernel.transpose(2, 3), padding=(reach, 0), groups=3)


def compressed(levels: torch.Tensor, quality: torch.Tensor) -> torch.Tensor:
    """What JPEG with halved colour does to photos, with the gradient of the identity.

    Blocks start at the top left corner. Blocks across the end of a photo in its padding differ from a real
    encoder's, which repeats the last row and column.

    Args:
        levels: float [n, 3, height, width] in [0, 255]; height and width multiples of 16.
        quality: int64 [n], 1 to 100, as the Independent JPEG Group scales its tables.

    Returns:
        The same shape, not rounded.
    """
    with torch.no_grad():
        changed = _roundtrip(levels, quality) - levels
    return levels + changed


def _roundtrip(levels: torch.Tensor, quality: torch.Tensor) -> torch.Tensor:
    r, g, b = levels.unbind(1)
    y = 0.299 * r + 0.587 * g + 0.114 * b
    colour = torch.stack([(b - y) / 1.772, (r - y) / 1.402], 1)
    scale = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality)
    y = _quantised(y[:, None] - 128, _table(_LUMINANCE, scale, levels)) + 128
    colour = _quantised(F.avg_pool2d(colour, 2), _table(_CHROMINANCE, scale, levels))
    cb, cr = F.interpolate(colour, scale_factor=2, mode="bilinear", align_corners=False).unbind(1)
    r, b = y[:, 0] + 1.402 * cr, y[:, 0] + 1.772 * cb
    g = (y[:, 0] - 0.299 * r - 0.114 * b) / 0.587
    return torch.stack([r, g, b], 1).clamp(0, 255)


def _table(text: str, scale: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """[n, 1, 1, 1, 8, 8] quantisation steps."""
    base = torch.tensor([float(v) for v in text.split()], dtype=like.dtype, device=like.device)
    steps = torch.floor((base * scale.to(like)[:, None] + 50) / 100).clamp(1, 255)
    return steps.view(-1, 1, 1, 1, 8, 8)


def _quantised(plane: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
    n, channels, height, width = plane.shape
    k = torch.arange(8, dtype=plane.dtype, device=plane.device)
    cosine = torch.cos((2 * k[None] + 1) * k[:, None] * torch.pi / 16) / 2
    cosine[0] /= 2**0.5
    blocks = plane.view(n, channels, height // 8, 8, width // 8, 8).transpose(3, 4)
    coefficients = (cosine @ blocks @ cosine.T / steps).round() * steps
    back = cosine.T @ coefficients @ cosine
    return back.transpose(3, 4).reshape(n, channels, height, width)
