"""MS-SSIM as a measure. Private to this folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.protocols import Pictures

if TYPE_CHECKING:
    import torch

_EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the five scales (Wang, Simoncelli and Bovik 2003, section 3.2)."""

_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_WINDOW = 11


@dataclass(frozen=True, slots=True)
class MultiScaleUnlikeness:
    """1 - MS-SSIM of the face's box, over as many of the five scales as fit the smallest box of a batch."""

    def __call__(self, pictures: Pictures) -> torch.Tensor:
        """See `bench.protocols.Measure`."""
        import torch

        return torch.stack(
            [
                _unlikeness(levels[:, top:bottom, left:right], original[:, top:bottom, left:right])
                for levels, original, (left, top, right, bottom) in zip(
                    pictures.levels, pictures.original, pictures.faces.tolist(), strict=True
                )
            ]
        )


def _unlikeness(released: torch.Tensor, original: torch.Tensor) -> torch.Tensor:
    """1 - MS-SSIM of one picture, [3, height, width]; 0 where it is smaller than a window."""
    import torch
    import torch.nn.functional as F  # noqa: N812 - the name every torch program uses

    a, b = original[:, None], released[:, None]
    scales = 0
    while min(a.shape[2:]) >> scales >= _WINDOW and scales < len(_EXPONENTS):
        scales += 1
    if not scales:
        return 0 * released.sum()
    total = sum(_EXPONENTS[:scales])
    product = torch.ones((), device=released.device)
    for scale in range(scales):
        light, structure = _terms(a, b)
        term = (light * structure if scale == scales - 1 else structure).mean().clamp_min(1e-6)
        product = product * term ** (_EXPONENTS[scale] / total)
        a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
    return 1 - product


def _terms(a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The luminance and the structure term of every window (Wang et al. 2004, equation 13)."""
    import torch
    import torch.nn.functional as F  # noqa: N812

    taps = torch.exp(-((torch.arange(_WINDOW).to(a) - _WINDOW // 2) ** 2) / (2 * 1.5**2))
    taps = taps / taps.sum()

    def blurred(planes: torch.Tensor) -> torch.Tensor:
        return F.conv2d(F.conv2d(planes, taps.view(1, 1, -1, 1)), taps.view(1, 1, 1, -1))

    a, b = a - 128, b - 128  # float32 loses fewer digits of a variance
    mean_a, mean_b = blurred(a), blurred(b)
    var_a, var_b = blurred(a * a) - mean_a**2, blurred(b * b) - mean_b**2
    both = blurred(a * b) - mean_a * mean_b
    mean_a, mean_b = mean_a + 128, mean_b + 128
    light = (2 * mean_a * mean_b + _C1) / (mean_a**2 + mean_b**2 + _C1)
    return light, (2 * both + _C2) / (var_a + var_b + _C2)
