"""What an adaptive attacker does to every photo that it holds, to remove cloaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bench.channels.numbers import written
from bench.channels.platforms import rounded
from bench.types import Image


@dataclass(frozen=True)
class TotalVariation:
    """Total-variation denoising of each colour (Rudin, Osher and Fatemi 1992) by Chambolle's method (2004).

    Guo et al., "Countering adversarial images using input transformations" (ICLR 2018), remove adversarial
    perturbations so. scikit-image's `denoise_tv_chambolle` on values in [0, 1], at most 200 iterations.

    Attributes:
        weight: of the variation against fidelity, above 0 and at most 1; 0.1 smooths visibly.
    """

    purifier: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("scikit-image", "numpy")
    weight: float

    def __call__(self, photo: Image) -> Image:
        """Denoise one photo."""
        from skimage.restoration import denoise_tv_chambolle

        values = denoise_tv_chambolle(photo / 255.0, weight=self.weight, channel_axis=-1)
        return rounded(255 * values)

    def __str__(self) -> str:
        return f"tv:{written(self.weight)}"


@dataclass(frozen=True)
class NonLocalMeans:
    """Each pixel becomes a mean of those nearby whose surroundings look alike: Buades, Coll and Morel (2005).

    OpenCV's `fastNlMeansDenoisingColored` (in CIELAB, 8 bits), search window 11 and patches of 3 pixels; with
    a strength of 4 it is the non-local smoothing 11-3-4 of Xu, Evans and Qi, "Feature squeezing" (NDSS 2018).
    It computes in whole numbers, so that one photo has one result.

    Attributes:
        strength: how far apart patches may be and still count as alike, above 0 and at most 100 (of 255).
    """

    purifier: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("opencv-python", "opencv-python-headless", "numpy")
    strength: float

    def __call__(self, photo: Image) -> Image:
        """Denoise one photo; OpenCV's colours are in the order blue, green, red."""
        from cv2 import fastNlMeansDenoisingColored

        reverse = np.ascontiguousarray(photo[..., ::-1])
        done = fastNlMeansDenoisingColored(reverse, None, self.strength, self.strength, 3, 11)
        return np.array(done[..., ::-1], np.uint8, order="C")

    def __str__(self) -> str:
        return f"nlm:{written(self.strength)}"
