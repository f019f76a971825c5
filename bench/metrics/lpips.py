"""LPIPS with AlexNet: how far apart two photos are to the features of a network (Zhang et al. 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bench.types import Image

if TYPE_CHECKING:
    import torch

LAYERS = {
    # number among AlexNet's features: shape of the weights, stride, padding, whether pooled before
    0: ((64, 3, 11, 11), 4, 2, False),
    3: ((192, 64, 5, 5), 1, 2, True),
    6: ((384, 192, 3, 3), 1, 1, True),
    8: ((256, 384, 3, 3), 1, 1, False),
    10: ((256, 256, 3, 3), 1, 1, False),
}
"""The convolutions of AlexNet as torchvision numbers them; after each comes a ReLU, whose output counts."""

SHAPES = {
    **{f"features.{number}.weight": shape for number, (shape, *_) in LAYERS.items()},
    **{f"features.{number}.bias": shape[:1] for number, (shape, *_) in LAYERS.items()},
    **{f"lin{i}.model.1.weight": (1, shape[0], 1, 1) for i, (shape, *_) in enumerate(LAYERS.values())},
}
"""Name -> shape of every tensor that is needed: torchvision's names, and those of LPIPS's linear heads."""

SMALLEST = 31
"""Pixels: below this side nothing is left of a photo after AlexNet's second maximum."""

_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""What LPIPS takes off colours in [-1, 1], and then divides them by (version 0.1 of its authors' code)."""

_EPSILON = 1e-10


class Lpips:
    """LPIPS of two photos (Zhang et al. 2018, equation 1), with the heads of version 0.1."""

    def __init__(self, weights: Mapping[str, npt.NDArray[np.float32]], sha256: str = "") -> None:
        """Store.

        Args:
            weights: Name -> tensor, as `SHAPES` has them; others are not looked at.
            sha256: The digest of the file that the weights come from.

        Raises:
            ValueError: naming the first tensor that is missing or has another shape.
        """
        for name, shape in SHAPES.items():
            if name not in weights:
                raise ValueError(f"there is no tensor {name}")
            if weights[name].shape != shape:
                raise ValueError(f"tensor {name} is {weights[name].shape}, it should be {shape}")
        self._weights, self.sha256 = {name: weights[name] for name in SHAPES}, sha256

    def distance(self, original: Image, released: Image) -> float:
        """LPIPS of two photos or regions: 0 for identical ones, larger for larger differences.

        Args:
            original: uint8 [height, width, 3].
            released: The same shape.

        Returns:
            Not rounded; NaN where a side is below `SMALLEST`.
        """
        import torch

        if min(original.shape[:2]) < SMALLEST:
            return float("nan")
        with torch.no_grad():
            both = torch.from_numpy(np.stack([original, released])).permute(0, 3, 1, 2).float()
            x = (both / 127.5 - 1 - _column(_SHIFT)) / _column(_SCALE)
            return float(sum(self._layer(i, features) for i, features in enumerate(self._features(x))))

    @cached_property
    def _tensors(self) -> dict[str, torch.Tensor]:
        import torch

        return {name: torch.from_numpy(np.ascontiguousarray(w)).float() for name, w in self._weights.items()}

    def _features(self, x: torch.Tensor) -> list[torch.Tensor]:
        """The output of every ReLU, [2, channels, rows, columns] each."""
        import torch.nn.functional as F  # noqa: N812 - the name every torch program uses

        out = []
        for number, (_, stride, padding, pooled) in LAYERS.items():
            if pooled:
                x = F.max_pool2d(x, 3, 2)
            weight, bias = (self._tensors[f"features.{number}.{part}"] for part in ("weight", "bias"))
            x = F.relu(F.conv2d(x, weight, bias, stride, padding))
            out.append(x)
        return out

    def _layer(self, number: int, features: torch.Tensor) -> float:
        """Squared differences of features of unit length, weighed by channel, mean over places."""
        unit = features / (features.square().sum(1, keepdim=True).sqrt() + _EPSILON)
        squared = (unit[0] - unit[1]).square()
        head: Any = self._tensors[f"lin{number}.model.1.weight"].view(-1, 1, 1)
        return float((squared * head).sum(0).mean())


def _column(values: tuple[float, ...]) -> torch.Tensor:
    import torch

    return torch.tensor(values).view(1, -1, 1, 1)
