"""Unlearnable Examples: one mask a person, which a network learns in the place of the face."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.errors import UserError
from bench.protocols import Kit
from bench.types import Album, Budget, Face, Image, PluginCard

from ._checks import check_kept
from ._ranges import COUNT, SHARE, Ranges, check_ranges
from ._shortcut import Shortcut

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Unlearnable:
    """Learn one mask with which a network tells the person from others without looking at the face.

    Unlearnable Examples (Huang et al. 2021), one mask a class. A network of its own and the mask lower the
    same loss by turns, so no surrogate is needed. The authors' network learns all classes at once; here each
    user has a small one that tells the user from the reference people, so that a mask depends on nobody else
    who publishes photos.

    Attributes:
        learn: How many of a user's photos the mask is learned on, first by digest.
        rounds: The most turns.
        train: Steps of the network in a turn.
        step: The step of the mask in a turn, in budgets.
        stop: The share of errors of the network at which the turns end; 0 takes all of them. The authors' .1
            is reached on a user's few photos long before the mask has grown.
    """

    learn: int = 8
    rounds: int = 20
    train: int = 10
    step: float = 0.1
    stop: float = 0.0

    card: ClassVar[PluginCard] = PluginCard(
        summary="Unlearnable Examples: one mask a user, learned instead of the face",
        source="Huang et al. 2021, Unlearnable Examples",
    )
    ranges: ClassVar[Ranges] = {"learn": COUNT, "rounds": COUNT, "train": COUNT, "step": SHARE, "stop": SHARE}

    def others(self) -> int:
        """See `bench.protocols.Defense`."""
        return 1

    def check(self, budget: Budget) -> None:
        """See `bench.protocols.Defense`."""
        check_kept(type(self), self.card, budget)
        check_ranges(self, self.ranges)

    def cloak(self, albums: Sequence[Album], kit: Kit) -> list[list[Image | None]]:
        """See `bench.protocols.Defense.cloak`."""
        import torch

        found = _found(kit.reference, kit)
        if not found:
            raise UserError("this defense looks at reference people and there are none.")
        others = torch.stack([kit.engine.aligned(kit.reference.photos[i], face) for i, face in found])
        return [self._cloaked(album, others, kit) for album in albums]

    def _cloaked(self, album: Album, others: torch.Tensor, kit: Kit) -> list[Image | None]:
        import torch

        found, out = _found(album, kit), list[Image | None]([None] * len(album.photos))
        if not found:
            return out
        taught = sorted(found, key=lambda of: album.digests[of[0]])[: self.learn]
        key = "\0".join([str(kit.seed), "unlearnable", *(album.digests[i] for i, _ in taught)])
        limit = math.floor(kit.budget.value)
        shortcut = Shortcut(limit, self.rounds, self.train, self.step * limit, self.stop)
        own = torch.stack([kit.engine.aligned(album.photos[i], face) for i, face in taught])
        mask = shortcut.mask(own, others, key)
        for i, face in found:
            out[i] = kit.engine.laid(mask, album.photos[i], face)
        return out


def _found(album: Album, kit: Kit) -> list[tuple[int, Face]]:
    """The position and the face of every photo of an album that has one to align."""
    return [
        (i, face)
        for i, (photo, face) in enumerate(zip(album.photos, album.faces, strict=True))
        if face is not None and kit.engine.region(photo, face) is not None
    ]


PLUGIN = Unlearnable
