"""Faces behind a median filter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.ndimage import median_filter

from bench.errors import UserError
from bench.protocols import Kit
from bench.types import Album, Budget, Face, Image, PluginCard


@dataclass(frozen=True)
class Median:
    """Replace every value of the face by the median around it. A control: a picture filter, with no budget.

    Attributes:
        side: The side of the window, as a share of the square root of the face region's area; the default is
            about 9 pixels for a face of 112. Each colour is filtered alone.
    """

    side: float = 0.08

    card: ClassVar[PluginCard] = PluginCard(
        summary="median filter over the face", source="control", bounded=False
    )

    def check(self, budget: Budget) -> None:
        """See `bench.protocols.Defense`; any budget will do, since none is kept."""
        del budget
        if not 0 < self.side <= 1:
            raise UserError(
                f"defense 'median': side {self.side:g} must be above 0 and at most 1. Try median:side=0.08."
            )

    def cloak(self, albums: Sequence[Album], kit: Kit) -> list[list[Image | None]]:
        """See `bench.protocols.Defense.cloak`."""
        return [
            [self._filtered(photo, face, kit) for photo, face in zip(album.photos, album.faces, strict=True)]
            for album in albums
        ]

    def _filtered(self, photo: Image, face: Face | None, kit: Kit) -> Image | None:
        region = kit.engine.region(photo, face)
        if region is None:
            return None
        side = max(3, round(self.side * float(np.sqrt(region.sum()))) | 1)
        rows, columns = (np.flatnonzero(region.any(axis)) for axis in (1, 0))
        # what the windows of the region's pixels see, and no more: photos are large and windows are slow
        top, left = max(0, rows[0] - side), max(0, columns[0] - side)
        part = photo[top : rows[-1] + 1 + side, left : columns[-1] + 1 + side]
        released = photo.copy()
        inside = region[top : top + part.shape[0], left : left + part.shape[1], None]
        smooth = median_filter(part, size=(side, side, 1), mode="nearest")
        released[top : top + part.shape[0], left : left + part.shape[1]] = np.where(inside, smooth, part)
        return released


PLUGIN = Median
