"""What users publish."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass

from bench.photos.collection import Photos
from bench.types import Box


@dataclass(frozen=True)
class Release:
    """What some people publish under one defense, person by person.

    Attributes:
        files: The PNG of each photo; empty where the original could not be read.
        digests: The digests of the pixels.
        failed: Whether the defense gave nothing for a photo, so that the original is published.
        boxes: Where faces are said to be in the originals, see `bench.photos.collection.Photos`.
        seconds: How long cloaking took now; 0 for what came from the cache.
        cloaked: How many photos were cloaked in those seconds.
    """

    files: tuple[bytes, ...]
    digests: tuple[str, ...]
    failed: tuple[bool, ...]
    boxes: tuple[Box | None, ...] = ()
    seconds: float = 0.0
    cloaked: int = 0

    def photos(self) -> Photos:
        """As an attacker would get them, were there no channel."""
        return Photos(self.digests, lambda wanted: [self.files[i] for i in wanted], self.boxes)


def put_together(parts: Sequence[Release], order: Sequence[int], boxes: tuple[Box | None, ...]) -> Release:
    """Several releases as one.

    Args:
        parts: The releases.
        order: For each photo of the whole, its position in the parts, counted through.
        boxes: Of the whole.
    """
    files = [file for part in parts for file in part.files]
    digests = [content for part in parts for content in part.digests]
    failed = [fail for part in parts for fail in part.failed]
    return Release(
        tuple(files[i] for i in order),
        tuple(digests[i] for i in order),
        tuple(failed[i] for i in order),
        boxes,
        sum(part.seconds for part in parts),
        sum(part.cloaked for part in parts),
    )


def pack(release: Release) -> bytes:
    """A release as the cache keeps it: without boxes and cost."""
    head = json.dumps(
        {
            "sizes": [len(file) for file in release.files],
            "digests": list(release.digests),
            "failed": list(release.failed),
        }
    ).encode()
    return len(head).to_bytes(8, "little") + head + b"".join(release.files)


def unpack(content: bytes) -> Release:
    """Read what `pack` wrote."""
    stream = io.BytesIO(content)
    head = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
    files = tuple(stream.read(size) for size in head["sizes"])
    return Release(files, tuple(head["digests"]), tuple(head["failed"]))
