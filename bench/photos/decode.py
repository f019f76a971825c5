"""From files of photos to pixels, and back. Every data set is read by this one function.

Colour profiles are ignored, as face recognisers ignore them. So is all other metadata but the orientation
(`bench.containers`).
"""

from __future__ import annotations

import errno
import hashlib
import io
import logging
import os
import re
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
import PIL.Image

from bench.containers import MAX_PIXELS, contained, exif_orientation
from bench.errors import cannot_read
from bench.photos import heif
from bench.photos.cut_jpeg import with_its_end
from bench.types import Image

FREE_PIXELS = 50_000_000
MOST_PIXELS_A_BYTE = 200
"""A file that states more than `FREE_PIXELS` must hold at least a byte for so many of them. No camera's file
holds fewer. One that does is of one colour: made to fill memory, and no photo."""

_COSTLY = {"JPEG2000": 3}
"""Formats whose decoders take several times the usual 7 bytes a pixel: their limits are lower by as much."""

_ICONS = (b"\0\0\1\0", b"\0\0\2\0", b"icns")
_INNER = re.compile(rb"\x89PNG\r\n\x1a\n.{4}IHDR(.{8})", re.DOTALL)
"""Icons hold whole files, which Pillow decodes as soon as it opens the icon."""

_log = logging.getLogger("bench")

_TURNS = {
    2: PIL.Image.Transpose.FLIP_LEFT_RIGHT,
    3: PIL.Image.Transpose.ROTATE_180,
    4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
    5: PIL.Image.Transpose.TRANSPOSE,
    6: PIL.Image.Transpose.ROTATE_270,
    7: PIL.Image.Transpose.TRANSVERSE,
    8: PIL.Image.Transpose.ROTATE_90,
}
"""EXIF's orientation -> what turns stored pixels upright."""

_BAND = 2**18
"""The number of pixels that are converted at a time."""

# what Pillow remarks about a damaged file on its way to reading it, or not: the reason says what matters
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
warnings.filterwarnings("ignore", category=PIL.Image.DecompressionBombWarning)

_POSTSCRIPT = (b"%!PS", b"\xc5\xd0\xd3\xc6")
"""The first bytes of PostScript. Pillow would hand such a file to another program, which would execute it."""


class UnreadablePhoto(Exception):  # noqa: N818 - an outcome, not an error
    """A file without a photo that can be decoded: an outcome of that photo, not the end of a run.

    Attributes:
        reason: One line; the same for the same bytes.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def decode(data: bytes | Image) -> Image:
    """Read a photo, upright, as 8-bit RGB.

    The orientation is applied; no other metadata is looked at. Transparency is laid on white. 16-bit samples
    are scaled to 8 bits. CMYK, palette, grey and other modes become RGB. Of several pictures in a file, the
    first is taken. HEIC files need the extra `heic`. A JPEG file that ends behind its last pixel, without the
    mark of its end, is read and a warning is logged; one that ends earlier is unreadable.

    Args:
        data: A whole file in any format that Pillow reads, or pixels that are RGB already (returned as they
            are). An empty file holds no photo.

    Returns:
        uint8 [height, width, 3], C-contiguous; writable unless it was given as an array that is not.

    Raises:
        UnreadablePhoto: The bytes hold no photo; the exception carries the reason.
        PassingError: The system refused something that decoding needs.
    """
    if isinstance(data, np.ndarray):
        if data.dtype != np.uint8 or data.ndim != 3 or data.shape[2] != 3 or 0 in data.shape:
            raise UnreadablePhoto(f"pixels are {data.dtype} {list(data.shape)}, not uint8 [height, width, 3]")
        return np.ascontiguousarray(data)
    if not data:
        raise UnreadablePhoto("the file is empty")
    if data.startswith(_POSTSCRIPT):
        raise UnreadablePhoto("a drawing in PostScript, not a photo")
    if heif.is_heif(data) and not heif.readable():
        raise UnreadablePhoto(heif.MISSING)
    file = contained(data)
    try:
        return _decoded(file.picture, file.orientation)
    except UnreadablePhoto:
        whole = with_its_end(file.picture)
        if whole is None:
            raise
    _tell_cut(hashlib.sha256(data).hexdigest())
    return _decoded(whole, file.orientation)


def pixels(data: bytes) -> int:
    """The number of pixels that a file states in its first bytes; 0 for a file that is no photo."""
    if heif.is_heif(data) and not heif.readable():
        return 0
    try:
        with _opened(contained(data).picture) as photo:
            return photo.width * photo.height
    except UnreadablePhoto:
        return 0


def form(data: bytes) -> str:
    """The format of a file, as Pillow calls it; empty for a file that is no photo."""
    try:
        with _opened(contained(data).picture) as photo:
            return photo.format or ""
    except UnreadablePhoto:
        return ""


def check_size(width: int, height: int, size: int, costly: int = 1) -> None:
    """See that a photo is not too large to be decoded, by what its file states.

    Args:
        width: As the file states it.
        height: As the file states it.
        size: The number of bytes of the file.
        costly: By how much the limits are lower.

    Raises:
        UnreadablePhoto: It is.
    """
    number = width * height
    if number > MAX_PIXELS // costly:
        raise UnreadablePhoto(f"{width} x {height} is more than {MAX_PIXELS // costly:,} pixels")
    if number > FREE_PIXELS // costly and number > MOST_PIXELS_A_BYTE * size:
        raise UnreadablePhoto(
            f"{size:,} bytes state {width} x {height} pixels, more than any photo of that size"
        )


def encode_png(image: Image) -> bytes:
    """Encode pixels as a PNG file: lossless, without metadata, the same bytes for the same pixels.

    Args:
        image: uint8 [height, width, 3].
    """
    out = io.BytesIO()
    PIL.Image.fromarray(image, "RGB").save(out, "PNG", compress_level=3)
    return out.getvalue()


@contextmanager
def _opened(picture: bytes) -> Iterator[PIL.Image.Image]:
    """A photo whose size has been looked at and whose pixels have not.

    Raises:
        UnreadablePhoto: Pillow cannot read the photo, here or in the scope; or it is too large.
        PassingError: The system refused something.
    """
    kind = "HEIC file" if heif.is_heif(picture) else "file"
    try:
        if picture.startswith(_ICONS):
            for inner in _INNER.finditer(picture):
                width, height = struct.unpack(">II", inner[1])
                check_size(width, height, len(picture))
        with PIL.Image.open(io.BytesIO(picture)) as photo:
            kind = f"{photo.format} file"
            check_size(*photo.size, len(picture), _COSTLY.get(photo.format or "", 1))
            yield photo
    except UnreadablePhoto:
        raise
    except PIL.UnidentifiedImageError:
        said = "not a photo in any format that Pillow reads" if kind == "file" else f"broken {kind}"
        raise UnreadablePhoto(said) from None
    except PIL.Image.DecompressionBombError:
        raise UnreadablePhoto(f"more than {MAX_PIXELS:,} pixels") from None
    except MemoryError as error:
        raise cannot_read(OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), "a photo") from error
    except Exception as error:  # readers of broken files raise whatever they come across
        if isinstance(error, OSError) and error.errno is not None:
            raise cannot_read(error, "a photo") from error  # the system's fault, not the file's
        said = " ".join(str(error).split()) or type(error).__name__
        raise UnreadablePhoto(f"broken {kind}: {said}") from error


@cache
def _tell_cut(sha256: str) -> None:
    """Say once in a process that a photo was cut."""
    _log.warning(
        "the file of a photo lacks its end, behind the last pixel; the photo is used (sha256 %s)",
        sha256,
    )


def _decoded(picture: bytes, orientation: int) -> Image:
    with _opened(picture) as photo:
        photo.load()
        # AVIF says in the picture itself how it is turned, and Pillow hands it on as EXIF
        return _upright(photo, exif_orientation(photo.info.get("exif") or b"") or orientation)


def _upright(photo: PIL.Image.Image, orientation: int) -> Image:
    """The pixels of a photo, turned. They are converted a band at a time, so that no second copy is made."""
    width, height = photo.size
    out = np.empty((width, height, 3) if orientation > 4 else (height, width, 3), np.uint8)
    rows = max(1, _BAND // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        band = photo.crop((0, top, width, bottom))
        # the first rows of the file are the last rows or columns of an upright photo
        span = slice(height - bottom, height - top) if orientation in (3, 4, 6, 7) else slice(top, bottom)
        place = out[:, span] if orientation > 4 else out[span]
        place[:] = _rgb(band if orientation == 1 else band.transpose(_TURNS[orientation]), photo.format)
    return out


def _rgb(photo: PIL.Image.Image, kind: str | None) -> Image:
    if photo.mode.startswith("I;16") or (photo.mode == "I" and kind in {"PNG", "PPM"}):
        grey = np.asarray(photo).astype(np.int64)
        eight = ((np.clip(grey, 0, 65535) + 128) // 257).astype(np.uint8)
        return np.repeat(eight[:, :, None], 3, axis=2)
    if photo.mode in {"I", "F"}:
        raise UnreadablePhoto(f"{kind} file with 32-bit samples: nothing says which value is white")
    if photo.mode in {"RGBA", "RGBa", "LA", "La", "PA"} or "transparency" in photo.info:
        layer = photo.convert("RGBA")
        photo = PIL.Image.new("RGBA", layer.size, "white")
        photo.alpha_composite(layer)
    return np.asarray(photo if photo.mode == "RGB" else photo.convert("RGB"), np.uint8)
