"""What an adaptive attacker does to every photo that it holds, to remove cloaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

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

        values = denoise_tv_chambolle(photo / 255.0, weight=self.weight, channel_axis=-1)  # type: ignore[no-untyped-call]  # typed in part
        return rounded(255 * values)

    def __str__(self) -> str:
        return f"tv:{written(self.weight)}"


@dataclass(frozen=True)
class NonLocalMeans:
    """Each pixel becomes a mean of those nearby with a similar neighbourhood: Buades, Coll and Morel (2005).

    scikit-image's fast mode (Froment, IPOL 2014): 5 × 5 patches, up to 6 pixels away, colours together.
    Xu, Evans and Qi, "Feature squeezing" (NDSS 2018), use the filter against adversarial perturbations.

    Attributes:
        strength: the distance of patches that still count as similar, in 1/255, above 0 and at most 100.
    """

    purifier: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("scikit-image", "numpy")
    strength: float

    def __call__(self, photo: Image) -> Image:
        """Denoise one photo."""
        from skimage.restoration import denoise_nl_means

        return rounded(
            255
            * denoise_nl_means(
                photo / 255.0,
                patch_size=5,
                patch_distance=6,
                h=self.strength / 255,
                fast_mode=True,
                channel_axis=-1,
            )
        )

    def __str__(self) -> str:
        return f"nlm:{written(self.strength)}"
