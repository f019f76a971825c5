"""Faces as a strong JPEG leaves them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import PIL.Image

from bench.errors import UserError
from bench.protocols import Kit
from bench.types import Album, Budget, Face, Image, PluginCard


@dataclass(frozen=True)
class Jpeg:
    """Compress the face as a JPEG file does. A control: what a platform does anyway, only stronger.

    Attributes:
        quality: The quality of the JPEG file, as libjpeg counts it; colour has half the resolution.
    """

    quality: int = 10

    card: ClassVar[PluginCard] = PluginCard(
        summary="strong JPEG compression of the face", source="control", bounded=False
    )

    def check(self, budget: Budget) -> None:
        """See `bench.protocols.Defense`; any budget will do, since none is kept."""
        del budget
        if not 1 <= self.quality <= 95:
            raise UserError(
                f"defense 'jpeg': quality {self.quality} must be from 1 to 95. Try jpeg:quality=10."
            )

    def cloak(self, albums: Sequence[Album], kit: Kit) -> list[list[Image | None]]:
        """See `bench.protocols.Defense.cloak`."""
        return [
            [
                self._compressed(photo, face, kit)
                for photo, face in zip(album.photos, album.faces, strict=True)
            ]
            for album in albums
        ]

    def _compressed(self, photo: Image, face: Face | None, kit: Kit) -> Image | None:
        region = kit.engine.region(photo, face)
        if region is None:
            return None
        file = io.BytesIO()
        PIL.Image.fromarray(photo).save(file, "JPEG", quality=self.quality, subsampling="4:2:0")
        return np.where(region[:, :, None], np.asarray(PIL.Image.open(file)), photo)


PLUGIN = Jpeg
