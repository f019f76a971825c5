"""Photos after a channel."""

from __future__ import annotations

from collections.abc import Sequence

from bench import channels
from bench.channels.protocol import Channel
from bench.photos.collection import Photos
from bench.photos.decode import UnreadablePhoto, decode
from bench.store.code import stage_code
from bench.store.digests import Canonical, digest
from bench.types import Image, Mask


def through(photos: Photos, channel: Channel, which: Mask | None = None) -> Photos:
    """Photos after a channel. A photo that cannot be decoded stays what it is.

    Args:
        photos: Any photos.
        channel: What they go through.
        which: bool [photo], those that go through, while the others stay as they are; None for all.
    """
    if str(channel) == "none":
        return photos
    passes = [True] * len(photos) if which is None else which.tolist()

    def read(wanted: Sequence[int]) -> list[bytes | Image]:
        from bench.machine.workers import each

        found = zip(wanted, photos.read(wanted), strict=True)
        return each(lambda one: _pass(one[1], channel) if passes[one[0]] else one[1], list(found))

    stamp = Canonical.of([channels.stamp(channel), stage_code(__name__)])
    # no channel moves a face: a box stays where it is
    digests = zip(photos.digests, passes, strict=True)
    return Photos(
        tuple(digest("channel", stamp, content) if passed else content for content, passed in digests),
        read,
        photos.boxes,
    )


def _pass(content: bytes | Image, channel: Channel) -> bytes | Image:
    try:
        return channel(decode(content))
    except UnreadablePhoto:
        return content
