"""Noise of equal cost: what a budget buys without looking at any encoder."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
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
Numbers = npt.NDArray[Any]
Box = tuple[slice, slice]

_BAND = 2**20
"""Numbers that are drawn at once."""


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
        draw, box = generator(kit.seed, digest, "noise"), _around(region)

        def coins() -> Numbers:
            return 2 * _drawn(photo, box, lambda shape: draw.integers(0, 2, shape)) - 1

        if kit.budget.kind == "linf":
            limit = math.floor(kit.budget.value)
            if self.kind == "sign":
                return _moved(photo, region, box, limit * coins())
            steps = _drawn(photo, box, lambda shape: draw.integers(-limit, limit + 1, shape))
            return _moved(photo, region, box, steps)
        signs, rounding = coins(), _drawn(photo, box, draw.random)

        def scaled(share: float) -> Image:
            if self.kind == "sign":
                return _moved(photo, region, box, signs * np.floor(255 * share + rounding))
            return _moved(photo, region, box, np.rint(signs * rounding * 255 * share))

        return kit.engine.strongest(photo, face, kit.budget, scaled)


def _around(region: Mask) -> Box:
    """The rows and the columns of a photo in which a region lies."""
    rows, columns = (np.flatnonzero(region.any(axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _drawn(photo: Image, box: Box, draw: Callable[[tuple[int, ...]], Numbers]) -> Numbers:
    """Numbers for every value of a photo, of which those in the box are kept.

    They are drawn a band of rows at a time. Together the bands are the numbers of one draw for the photo.
    """
    rows, columns = box
    height, width, channels = photo.shape
    band = max(1, _BAND // (width * channels))
    kept = []
    for top in range(0, height, band):
        drawn = draw((min(band, height - top), width, channels))
        kept.append(drawn[max(rows.start - top, 0) : max(rows.stop - top, 0), columns].copy())
    return np.concatenate(kept)


def _moved(photo: Image, region: Mask, box: Box, levels: Numbers) -> Image:
    """The photo with levels added inside the region; `levels` are those of the box."""
    moved = photo.copy()
    inside = photo[box] + levels * region[box][:, :, None]
    moved[box] = np.clip(inside, 0, 255).astype(np.uint8)
    return moved


PLUGIN = Noise
