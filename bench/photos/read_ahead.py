"""Reading ahead: the next photos are read and decoded while these are worked on.

Memory is bounded in bytes, because one photo may have a thousand times the pixels of another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from bench.photos.decode import UnreadablePhoto, decode, pixels
from bench.types import Image

Read = Callable[[Sequence[int]], list[bytes | Image]]
"""A reader of photos: positions -> files or pixels, in the same order."""

Decoded = tuple[int, Image | UnreadablePhoto]
"""The position of a photo, and its pixels or the reason why it cannot be read."""

CHUNK_BYTES = 160 * 2**20
"""The most bytes of decoded photos in a chunk of several: four phone pictures of 12 megapixels."""

_AT_ONCE = 8
"""The number of files that are asked for at a time."""


def chunks(
    read: Read, wanted: Sequence[int], photos: int, size: int = CHUNK_BYTES
) -> Generator[list[Decoded], None, None]:
    """Yield decoded photos in order, a chunk at a time. The next chunk is made while one is worked on.

    So at most two chunks are in memory, besides a few files.

    Args:
        read: A reader, called from a thread of its own and never twice at once.
        wanted: The positions to read.
        photos: The most photos in a chunk.
        size: The most bytes of pixels in a chunk that has more than one photo.
    """
    source = _Source(read, wanted, photos, size)
    with ThreadPoolExecutor(1, "bench-reader") as reader:
        coming = reader.submit(source.chunk)
        while chunk := coming.result():
            coming = reader.submit(source.chunk)
            yield chunk
            # let go of these photos before waiting for the next ones
            del chunk


def readable(photo: Image | UnreadablePhoto) -> Image:
    """The pixels of a photo that was readable when its face was found.

    Raises:
        UnreadablePhoto: It is not.
    """
    if isinstance(photo, UnreadablePhoto):
        raise photo
    return photo


class _Source:
    def __init__(self, read: Read, wanted: Sequence[int], photos: int, size: int) -> None:
        self._read, self._wanted, self._photos, self._size = read, wanted, photos, size
        self._next = 0
        self._held: deque[tuple[int, bytes | Image, int]] = deque()
        self._seen = 0  # bytes of the photos before, for a guess at those to come

    def chunk(self) -> list[Decoded]:
        """The next chunk; empty at the end."""
        taken: list[tuple[int, bytes | Image]] = []
        room = self._size
        while len(taken) < self._photos and self._more(room, self._photos - len(taken)):
            i, content, weight = self._held[0]
            if taken and weight > room:
                break
            self._held.popleft()
            taken.append((i, content))
            room -= weight
        if not taken:
            return []
        from bench.machine.workers import (
            each,  # loads torch, which a run that finds everything cached does without
        )

        images = each(_decoded, [content for _, content in taken])
        return [(i, image) for (i, _), image in zip(taken, images, strict=True)]

    def _more(self, room: int, photos: int) -> bool:
        """Read on if nothing is held: as many files as will fit if they are like those before."""
        if not self._held:
            usual = self._seen // self._next if self._next else self._size
            count = min(photos, _AT_ONCE, max(1, room // max(1, usual)))
            part = self._wanted[self._next : self._next + count]
            for i, content in zip(part, self._read(part) if part else [], strict=True):
                weight = content.nbytes if isinstance(content, np.ndarray) else 3 * pixels(content)
                self._held.append((i, content, weight))
                self._seen += weight
            self._next += len(part)
        return bool(self._held)


def _decoded(content: bytes | Image) -> Image | UnreadablePhoto:
    try:
        return decode(content)
    except UnreadablePhoto as unreadable:
        return unreadable
