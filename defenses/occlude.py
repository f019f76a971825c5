"""A bar over the eyes, or a mask over nose and mouth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from bench.errors import UserError
from bench.protocols import Kit
from bench.types import Album, Budget, Face, Image, Mask, PluginCard

Part = Literal["eyes", "mouth"]


@dataclass(frozen=True)
class Occlude:
    """Cover a part of the face with grey. A control: the bar of the newspapers and the mask of the street.

    A face that no detector finds any more counts for the defense: whoever is not found is not recognised.

    Attributes:
        part: `eyes`, a bar along them, or `mouth`, everything from the middle of the nose to below the mouth.
        height: The height of what is covered, in distances between the eyes.
    """

    part: str = "eyes"
    height: float = 0.7

    card: ClassVar[PluginCard] = PluginCard(
        summary="a bar over the eyes, or a mask over the mouth", source="control", bounded=False
    )

    def check(self, budget: Budget) -> None:
        """See `bench.protocols.Defense`; any budget will do, since none is kept."""
        del budget
        if self.part not in get_args(Part):
            raise UserError(
                f"defense 'occlude' has no part {self.part!r}. Try occlude:part=eyes or part=mouth."
            )
        if not self.height > 0:
            raise UserError(
                f"defense 'occlude': height {self.height:g} must be above 0. Try occlude:height=0.7."
            )

    def cloak(self, albums: Sequence[Album], kit: Kit) -> list[list[Image | None]]:
        """See `bench.protocols.Defense.cloak`."""
        return [
            [self._covered(photo, face, kit) for photo, face in zip(album.photos, album.faces, strict=True)]
            for album in albums
        ]

    def _covered(self, photo: Image, face: Face | None, kit: Kit) -> Image | None:
        region = kit.engine.region(photo, face)
        if region is None or face is None:
            return None
        covered = region & self._bar(region.shape, face)
        return np.where(covered[:, :, None], np.uint8(128), photo)

    def _bar(self, shape: tuple[int, ...], face: Face) -> Mask:
        """The pixels that lie at most half the height above or below the middle of the part."""
        left, right, nose, *mouth = np.array(face.landmarks, float)
        along = right - left
        distance = float(np.hypot(*along))
        across = np.array([-along[1], along[0]]) / distance
        middle = (left + right) / 2 if self.part == "eyes" else (nose + sum(mouth) / 2) / 2
        rows, columns = np.indices(shape[:2])
        away = (columns - middle[0]) * across[0] + (rows - middle[1]) * across[1]
        return np.asarray(np.abs(away) <= self.height * distance / 2)


PLUGIN = Occlude
