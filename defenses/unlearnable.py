"""Unlearnable Examples: one mask a person, which a network learns in the place of the face."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.errors import UserError
from bench.protocols import Kit
from bench.types import Album, Budget, Image, PluginCard

from ._checks import check_kept
from ._frame import in_frame, laid
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

        faces = [face for _, face in _faces(kit.reference, kit)]
        if not faces:
            raise UserError("this defense looks at reference people and there are none.")
        others = torch.stack(faces)
        return [self._cloaked(album, others, kit) for album in albums]

    def _cloaked(self, album: Album, others: torch.Tensor, kit: Kit) -> list[Image | None]:
        import torch

        found = sorted(_faces(album, kit), key=lambda of: of[0])[: self.learn]
        if not found:
            return [None] * len(album.photos)
        key = "\0".join([str(kit.seed), "unlearnable", *(digest for digest, _ in found)])
        limit = math.floor(kit.budget.value)
        shortcut = Shortcut(limit, self.rounds, self.train, self.step * limit, self.stop)
        mask = shortcut.mask(torch.stack([face for _, face in found]), others, key)
        out: list[Image | None] = []
        for photo, face in zip(album.photos, album.faces, strict=True):
            region = kit.engine.region(photo, face)
            out.append(None if region is None or face is None else laid(mask, photo, face, region))
        return out


def _faces(album: Album, kit: Kit) -> list[tuple[str, torch.Tensor]]:
    """The digest and the aligned face of every photo of an album that has one."""
    return [
        (digest, in_frame(photo, face))
        for photo, face, digest in zip(album.photos, album.faces, album.digests, strict=True)
        if face is not None and kit.engine.region(photo, face) is not None
    ]


PLUGIN = Unlearnable
