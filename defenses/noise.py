"""Noise of equal cost: what a budget buys without looking at any encoder."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import numpy.typing as npt

from bench.errors import UserError
from bench.protocols import Kit
from bench.types import Album, Budget, Face, Image, Mask, PluginCard

from ._checks import check_kept
from ._seeding import generator

Kind = Literal["sign", "uniform"]


@dataclass(frozen=True)
class Noise:
    """Add independent noise to every value of every pixel of the face.

    A control: it spends the whole budget on the same pixels as the optimising defenses. Under `linf:N`,
    `sign` moves every value by exactly N up or down, the most energy that the budget allows, so that no
    defense can owe its score to the size of its change. Under `dssim:X` and `ssim:X` the amplitude is as
    large as each photo's budget allows, found by bisection on the 8-bit photo; `sign` rounds it up or down
    at random.

    Attributes:
        kind: `sign`, all of one amplitude, or `uniform`, between minus the amplitude and the amplitude.
    """

    kind: str = "sign"

    card: ClassVar[PluginCard] = PluginCard(
        summary="random noise of equal cost on the face", source="control", budgets=("linf", "dssim", "ssim")
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
        if region is None or face is None:
            return None
        draw = generator(kit.seed, digest, "noise")
        if kit.budget.kind == "linf":
            limit = math.floor(kit.budget.value)
            if self.kind == "sign":
                return _moved(photo, region, limit * (2 * draw.integers(0, 2, photo.shape) - 1))
            return _moved(photo, region, draw.integers(-limit, limit + 1, photo.shape))
        signs, rounding = 2.0 * draw.integers(0, 2, photo.shape) - 1, draw.random(photo.shape)

        def scaled(share: float) -> Image:
            if self.kind == "sign":
                return _moved(photo, region, signs * np.floor(255 * share + rounding))
            return _moved(photo, region, np.rint(signs * rounding * 255 * share))

        return kit.engine.strongest(photo, face, kit.budget, scaled)


def _moved(photo: Image, region: Mask, levels: npt.NDArray[Any]) -> Image:
    moved: Image = np.clip(photo + levels * region[:, :, None], 0, 255).astype(np.uint8)
    return moved


PLUGIN = Noise
