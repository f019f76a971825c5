"""Purifiers without training: an adaptive attacker runs them on every photo it holds, to remove cloaks."""

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
    perturbations in this way. The code is scikit-image's `denoise_tv_chambolle` on values in [0, 1], with at
    most 200 iterations.

    Attributes:
        weight: The weight of the variation against fidelity, in (0, 1]; 0.1 smooths visibly.
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
    """Each pixel becomes a mean of nearby pixels with a similar surrounding: Buades, Coll and Morel (2005).

    The code is OpenCV's `fastNlMeansDenoisingColored` (in CIELAB, 8 bits), with a search window of 11 pixels
    and patches of 3. With a strength of 4 it is the non-local smoothing 11-3-4 of Xu, Evans and Qi, "Feature
    squeezing" (NDSS 2018). It computes in whole numbers, so one photo has one result.

    Attributes:
        strength: The distance at which two patches still count as alike, in 8-bit values, in (0, 100].
    """

    purifier: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("opencv-python", "opencv-python-headless", "numpy")
    strength: float

    def __call__(self, photo: Image) -> Image:
        """Denoise one photo. OpenCV orders colours as blue, green, red."""
        from cv2 import fastNlMeansDenoisingColored

        reverse = np.ascontiguousarray(photo[..., ::-1])
        done = fastNlMeansDenoisingColored(reverse, None, self.strength, self.strength, 3, 11)
        return np.array(done[..., ::-1], np.uint8, order="C")

    def __str__(self) -> str:
        return f"nlm:{written(self.strength)}"
