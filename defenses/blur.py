"""Blurred faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.ndimage import gaussian_filter

from bench.errors import UserError
from bench.protocols import Kit
from bench.types import Album, Budget, Face, Image, PluginCard


@dataclass(frozen=True)
class Blur:
    """Blur the face with a Gaussian. A control: what people do by hand, with no budget kept.

    Attributes:
        sigma: The standard deviation, as a share of the square root of the face region's area; the default is
            about 4 pixels for a face of 112.
    """

    sigma: float = 0.035

    card: ClassVar[PluginCard] = PluginCard(
        summary="Gaussian blur of the face", source="control", bounded=False
    )

    def check(self, budget: Budget) -> None:
        """See `bench.protocols.Defense`; any budget will do, since none is kept."""
        del budget
        if not self.sigma > 0:
            raise UserError(f"defense 'blur': sigma {self.sigma:g} must be above 0. Try blur:sigma=0.035.")

    def cloak(self, albums: Sequence[Album], kit: Kit) -> list[list[Image | None]]:
        """See `bench.protocols.Defense.cloak`."""
        return [
            [self._blurred(photo, face, kit) for photo, face in zip(album.photos, album.faces, strict=True)]
            for album in albums
        ]

    def _blurred(self, photo: Image, face: Face | None, kit: Kit) -> Image | None:
        region = kit.engine.region(photo, face)
        if region is None:
            return None
        sigma = self.sigma * float(np.sqrt(region.sum()))
        smooth = gaussian_filter(photo.astype(np.float32), (sigma, sigma, 0), mode="nearest")
        return np.where(region[:, :, None], smooth.round(), photo).astype(np.uint8)


PLUGIN = Blur
