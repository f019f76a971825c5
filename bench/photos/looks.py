"""What a photo looks like when it is small: enough to tell copies of it, and quick to get.

A JPEG file is decoded at an eighth of its size or less, so that looking at a photo takes a fraction of the
time that decoding it takes. Looks are kept by content.
"""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import PIL.Image

from bench.errors import UserError
from bench.machine.progress import Progress
from bench.photos.decode import UnreadablePhoto, check_size, decode
from bench.photos.raw import REASON, is_raw
from bench.protocols import Dataset
from bench.store.cache import Cache
from bench.store.code import stage_code
from bench.store.digests import digest
from bench.types import Image

SIDE = 64
"""Width and height of a small picture, whatever the shape of the photo."""

_THREADS = 4
_AT_ONCE = 8
_ONE_JPEG = 2 * SIDE
_ALONE = threading.Lock()  # a file that has to be decoded whole: one at a time, for large ones fill memory


@dataclass(frozen=True)
class Look:
    """What a photo looks like.

    Attributes:
        pixels: How many pixels the photo has; 0 if it cannot be read.
        small: The photo's brightness, uint8 [SIDE, SIDE]; empty if it cannot be read. It may lie on its side:
            orientations are not applied.
        unreadable: Why it cannot be read; empty if it can.
    """

    pixels: int
    small: Image
    unreadable: str = ""

    @property
    def raw(self) -> bool:
        """Whether it is a RAW file."""
        return self.unreadable == REASON


def look(content: bytes | Image) -> Look:
    """Look at a photo: a file, or pixels."""
    try:
        if isinstance(content, bytes) and is_raw(content):
            raise UnreadablePhoto(REASON)
        jpeg = _jpeg(content) if isinstance(content, bytes) and content[:2] == b"\xff\xd8" else None
        if jpeg is not None:
            return jpeg
        with _ALONE:
            whole = decode(content)
            return _of(PIL.Image.fromarray(whole, "RGB"), whole.shape[0] * whole.shape[1])
    except UnreadablePhoto as error:
        return Look(0, np.empty((0, 0), np.uint8), error.reason)


def _jpeg(content: bytes) -> Look | None:
    """A look at a JPEG file that is decoded at a part of its size; None if there is anything odd about it."""
    try:
        with PIL.Image.open(io.BytesIO(content), formats=("JPEG",)) as photo:
            pixels = photo.width * photo.height
            check_size(*photo.size, len(content))
            if photo.mode not in {"L", "RGB"}:
                return None
            photo.draft(photo.mode, (_ONE_JPEG, _ONE_JPEG))
            return _of(photo, pixels)
    except Exception:  # noqa: BLE001 - whatever is wrong with the file, `decode` says it
        return None


def _of(photo: PIL.Image.Image, pixels: int) -> Look:
    grey = photo.convert("L").resize((SIDE, SIDE), PIL.Image.Resampling.BICUBIC, reducing_gap=3.0)
    return Look(pixels, np.array(grey, np.uint8))


def looks(data: Dataset, names: Sequence[str], cache: Cache, progress: Progress) -> dict[str, Look]:
    """Photo name -> its look; those that were not looked at before are read.

    A cache that cannot be written loses the looks with the process, as digests of files are lost.

    Args:
        data: The data set.
        names: Which of its photos.
        cache: Has the looks of before.
        progress: Told of every few photos.
    """
    code = stage_code(__name__)
    keys = {name: digest("look", code, data.digest(name)) for name in names}
    rows = cache.rows("look", list(keys.values()))
    missing = [name for name in names if keys[name] not in rows]
    with progress.stage("look at photos for copies", len(missing)) as advance, _workers() as workers:
        for start in range(0, len(missing), _AT_ONCE):
            part = missing[start : start + _AT_ONCE]
            seen = list(workers.map(look, data.read(part)))
            new = {keys[name]: _packed(of) for name, of in zip(part, seen, strict=True)}
            kept(cache, "look", new)
            rows |= new
            advance(len(part))
    return {name: _unpacked(rows[key]) for name, key in keys.items()}


def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, "bench-look")


def kept(cache: Cache, stage: str, rows: Mapping[str, bytes]) -> None:
    """Keep what was seen, where it can be kept: it is quick to see again, and a listing changes nothing."""
    try:
        cache.put_rows(stage, rows)
    except UserError:
        return  # a run tells on its own that results cannot be written


def _packed(look: Look) -> bytes:
    return json.dumps([look.pixels, look.unreadable]).encode() + b"\n" + look.small.tobytes()


def _unpacked(row: bytes) -> Look:
    head, _, small = row.partition(b"\n")
    pixels, unreadable = json.loads(head)
    side = SIDE if small else 0
    return Look(pixels, np.frombuffer(small, np.uint8).reshape(side, side), unreadable)
