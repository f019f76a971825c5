"""Photos after a channel."""

from __future__ import annotations

from collections.abc import Sequence

from bench import channels
from bench.channels.protocol import Channel
from bench.photos.collection import Photos
from bench.photos.decode import UnreadablePhoto, decode
from bench.store.code import stage_code
from bench.store.digests import digest
from bench.types import Image


def through(photos: Photos, channel: Channel) -> Photos:
    """Photos after a channel. A photo that cannot be decoded stays what it is."""
    if str(channel) == "none":
        return photos

    def read(wanted: Sequence[int]) -> list[bytes | Image]:
        from bench.machine.workers import each

        return each(lambda content: _pass(content, channel), photos.read(wanted))

    stamp = [channels.stamp(channel), stage_code(__name__)]
    # no channel moves a face: a box stays where it is
    return Photos(tuple(digest("channel", stamp, content) for content in photos.digests), read, photos.boxes)


def _pass(content: bytes | Image, channel: Channel) -> bytes | Image:
    try:
        return channel(decode(content))
    except UnreadablePhoto:
        return content
