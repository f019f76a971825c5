"""No defense: the clean run that everything else is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bench.protocols import Kit
from bench.types import BUDGETS, Album, Image, PluginCard


@dataclass(frozen=True)
class NoDefense:
    """Publish every photo as it is. A control."""

    card: ClassVar[PluginCard] = PluginCard(
        summary="photos as they are", source="control", budgets=tuple(BUDGETS)
    )

    def cloak(self, albums: Sequence[Album], kit: Kit) -> list[list[Image | None]]:
        """See `bench.protocols.Defense.cloak`; photos without a face are published too."""
        return [[photo.copy() for photo in album.photos] for album in albums]


PLUGIN = NoDefense
