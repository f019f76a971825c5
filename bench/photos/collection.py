"""Photos by content: named by digest, and read when they are needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bench.photos.decode import UnreadablePhoto, decode
from bench.photos.read_ahead import Read
from bench.protocols import Dataset
from bench.types import Box, Image


@dataclass(frozen=True)
class Photos:
    """Photos by content digest, read when they are needed. There is no identity here.

    Attributes:
        digests: The digest of each photo's content.
        read: The files or pixels of some photos, by position. May be called from another thread.
        boxes: Where each photo's face is said to be, see `bench.types.Catalogue.boxes`, or None; empty where
            nothing is said of any photo.
    """

    digests: tuple[str, ...]
    read: Read
    boxes: tuple[Box | None, ...] = ()

    def __len__(self) -> int:
        return len(self.digests)

    @property
    def stated_boxes(self) -> tuple[Box | None, ...]:
        """One box or None for each photo."""
        return self.boxes or (None,) * len(self)


def some_of(photos: Photos, positions: Sequence[int]) -> Photos:
    """Some of the photos, in the order of their positions."""
    boxes = tuple(photos.boxes[i] for i in positions) if photos.boxes else ()
    digests = tuple(photos.digests[i] for i in positions)
    return Photos(digests, lambda wanted: photos.read([positions[i] for i in wanted]), boxes)


def clean_photos(data: Dataset, names: Sequence[str], boxes: Mapping[str, Box] | None = None) -> Photos:
    """Photos of a data set, as they are.

    Args:
        data: The data set.
        names: Which of its photos.
        boxes: Where faces are said to be, see `bench.types.Catalogue.boxes`.
    """
    return Photos(
        tuple(map(data.digest, names)),
        lambda wanted: data.read([names[i] for i in wanted]),
        tuple(map(boxes.get, names)) if boxes else (),
    )


def in_memory(photos: Photos, images: Sequence[Image | None]) -> Photos:
    """The same photos, read from pixels that are in memory; what cannot be read, None, is read as it is."""

    def read(wanted: Sequence[int]) -> list[bytes | Image]:
        return [photos.read([i])[0] if (image := images[i]) is None else image for i in wanted]

    return replace(photos, read=read)


def pixels_or_none(content: bytes | Image) -> Image | None:
    """The pixels of a photo; None where it cannot be read."""
    try:
        return decode(content)
    except UnreadablePhoto:
        return None
