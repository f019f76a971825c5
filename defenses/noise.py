"""Noise of equal L-infinity norm: what a budget buys without looking at any encoder."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from bench.errors import UserError
from bench.protocols import Kit
from bench.types import Album, Budget, Face, Image, PluginCard

from ._checks import check_kept
from ._seeding import generator

Kind = Literal["sign", "uniform"]


@dataclass(frozen=True)
class Noise:
    """Add independent noise to every value of every pixel of the face.

    A control: it spends the whole budget on the same pixels as the optimising defenses. `sign` moves
    every value by exactly N up or down, the most energy that the budget allows, so that no defense can owe
    its score to the size of its change.

    Attributes:
        kind: `sign` or `uniform` (whole levels from -N to N).
    """

    kind: str = "sign"

    card: ClassVar[PluginCard] = PluginCard(
        summary="random noise of equal L-infinity norm on the face", source="control"
    )

    def check(self, budget: Budget) -> None:
        """See `bench.protocols.Defense`."""
        check_kept(type(self), self.card, budget)
        if self.kind not in get_args(Kind):
            raise UserError(
                f"defense 'noise' has no kind {self.kind!r}. Try noise:kind=sign or kind=uniform."
            )

    def cloak(self, albums: Sequence[Album], kit: Kit) -> list[list[Image | None]]:
        """See `bench.protocols.Defense.cloak`."""
        return [
            [
                self._noisy(photo, face, digest, kit)
                for photo, face, digest in zip(album.photos, album.faces, album.digests, strict=True)
            ]
            for album in albums
        ]

    def _noisy(self, photo: Image, face: Face | None, digest: str, kit: Kit) -> Image | None:
        region = kit.engine.region(photo, face)
        if region is None:
            return None
        limit = math.floor(kit.budget.value)
        draw = generator(kit.seed, digest, "noise")
        if self.kind == "sign":
            levels = limit * (2 * draw.integers(0, 2, photo.shape) - 1)
        else:
            levels = draw.integers(-limit, limit + 1, photo.shape)
        noisy: Image = np.clip(photo + levels * region[:, :, None], 0, 255).astype(np.uint8)
        return noisy


PLUGIN = Noise
