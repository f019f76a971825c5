"""Pixelated faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bench.errors import UserError
from bench.protocols import Kit
from bench.types import Album, Budget, Face, Image, PluginCard


@dataclass(frozen=True)
class Pixelate:
    """Replace the face by square blocks of its mean colour. A control: what people do by hand, unbounded.

    Attributes:
        blocks: The number of blocks along the square root of the face region's area.
    """

    blocks: int = 16

    card: ClassVar[PluginCard] = PluginCard(
        summary="blocks of mean colour on the face", source="control", bounded=False
    )

    def check(self, budget: Budget) -> None:
        """See `bench.protocols.Defense`; any budget will do, since none is kept."""
        del budget
        if self.blocks < 1:
            raise UserError(f"defense 'pixelate': blocks {self.blocks} must be at least 1. Try blocks=16.")

    def cloak(self, albums: Sequence[Album], kit: Kit) -> list[list[Image | None]]:
        """See `bench.protocols.Defense.cloak`."""
        return [
            [self._coarse(photo, face, kit) for photo, face in zip(album.photos, album.faces, strict=True)]
            for album in albums
        ]

    def _coarse(self, photo: Image, face: Face | None, kit: Kit) -> Image | None:
        region = kit.engine.region(photo, face)
        if region is None:
            return None
        side = max(2, round(float(np.sqrt(region.sum())) / self.blocks))
        ys, xs = region.nonzero()
        out = photo.copy()
        for top in range(int(ys.min()), int(ys.max()) + 1, side):
            for left in range(int(xs.min()), int(xs.max()) + 1, side):
                block = (slice(top, top + side), slice(left, left + side))
                inside = region[block]
                if inside.any():
                    out[block][inside] = photo[block][inside].mean(0).round()
        return out


PLUGIN = Pixelate
