"""Files of photos taken apart: the picture, and which way up it is.

Metadata is no part of a picture. A broken tag, such as a description that is a fraction, must neither end a
run nor make a photo unreadable. So the orientation is read here by itself, and the reader of the picture gets
a file without metadata. What decides pixels stays: tables, palettes, transparency, and JPEG's two markers of
colour.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import PIL.Image

MAX_PIXELS = 250_000_000
"""The most pixels of a photo: phones take 200 million. Decoding takes 7 bytes each, 1.4 GB for these."""

PIL.Image.MAX_IMAGE_PIXELS = MAX_PIXELS  # Pillow remarks above this, and refuses above twice as many

_EXIF = b"Exif\0\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_XMP_ORIENTATION = re.compile(rb'tiff:Orientation(?:="|>)([1-8])(?![0-9])')
_ORIENTATION, _TIFF_XMP = 0x0112, 700

_WHOLE_NUMBERS = {3: "H", 4: "I", 8: "h", 9: "i"}
"""TIFF types of 16 and 32 bits that an orientation may have -> their `struct` codes."""

_TIFF = {b"II*\0": "<", b"MM\0*": ">", b"II+\0": "<", b"MM\0+": ">"}
"""The first four bytes of TIFF, and of BigTIFF (`+`) -> the order of its bytes."""

_TIFF_PICTURE = frozenset(
    {
        *(254, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 293, 317, 320, 322, 323, 324, 325),
        *(332, 338, 339, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532),
        *(32995, 32996, 32997, 32998, 50674),
    }
)
"""TIFF tags that say how pixels are stored (TIFF 6.0, and libtiff's own); every other tag is metadata."""

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_PICTURE = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS"}
_WEBP_METADATA = {b"ICCP": 0x20, b"EXIF": 0x08, b"XMP ": 0x04}
"""Chunks of WebP that are metadata -> the bit that announces them in the chunk VP8X."""

_UNPACKED = 2**20
"""The most bytes that packed text in a PNG is unpacked to."""


@dataclass(frozen=True, slots=True)
class Contained:
    """What a photo's file holds.

    Attributes:
        picture: The file without metadata; the file as it is where its format or its order is unknown.
        orientation: 1 to 8: how the stored pixels are to be turned, as EXIF counts it. 1 where nothing that
            can be read says so. HEIC and AVIF say it in the picture itself.
    """

    picture: bytes
    orientation: int = 1


def contained(file: bytes) -> Contained:
    """Take the file of a photo apart. Never raises.

    EXIF is asked for the orientation first, XMP where EXIF says nothing.

    Args:
        file: A whole file of any format.
    """
    take = _taker(file)
    if take is None:
        return Contained(file)
    try:
        return take(file)
    except (struct.error, IndexError, _DisorderError):
        return Contained(file)  # the reader of the picture says what is wrong with it


def has_known_signature(head: bytes) -> bool:
    """Whether a file begins as those do that can be taken apart.

    Args:
        head: The first bytes, at least 12.
    """
    return _taker(head) is not None


def exif_orientation(exif: bytes) -> int:
    """The orientation that a block of EXIF states, 1 to 8; 0 where it states none that can be read.

    No other tag is looked at.

    Args:
        exif: A TIFF header and what follows, with or without `Exif` before it.
    """
    tiff = exif.removeprefix(_EXIF)
    try:
        for tag, kind, count, value, _ in _Directory(tiff).entries():
            if tag == _ORIENTATION:
                code = _WHOLE_NUMBERS.get(kind)
                number = (
                    struct.unpack_from(_TIFF[tiff[:4]] + code, tiff, value)[0] if code and count == 1 else 0
                )
                return int(number) if 1 <= number <= 8 else 0
    except (struct.error, _DisorderError):
        pass
    return 0


class _DisorderError(Exception):
    """A file is not in the order that its format asks for."""


@dataclass
class _Metadata:
    """Blocks of metadata that may state an orientation."""

    exif: list[bytes] = field(default_factory=list)
    xmp: list[bytes] = field(default_factory=list)

    def orientation(self) -> int:
        stated = [
            *map(exif_orientation, self.exif),
            *(int(m[1]) for m in map(_XMP_ORIENTATION.search, self.xmp) if m),
        ]
        return next(filter(None, stated), 1)


def _taker(head: bytes) -> Callable[[bytes], Contained] | None:
    if head.startswith(b"\xff\xd8\xff"):
        return _jpeg
    if head.startswith(_PNG):
        return _png
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _webp
    if head[:4] in _TIFF:
        return _tiff
    return _iso_media if head[4:8] == b"ftyp" else None


def _jpeg(file: bytes) -> Contained:
    """JPEG (ITU-T T.81, annex B): segments up to the first scan. The rest is left as it is."""
    kept, metadata, at = [b"\xff\xd8"], _Metadata(), 2
    while True:
        at = file.find(b"\xff", at)  # libjpeg, too, skips what lies between segments
        if at < 0:
            raise _DisorderError
        while file[at] == 0xFF:
            at += 1
        marker, at = file[at], at + 1
        if marker <= 1 or 0xD0 <= marker <= 0xD8:
            continue  # no segment
        (length,) = struct.unpack_from(">H", file, at)
        if marker == 0xD9 or length < 2:
            raise _DisorderError
        if marker == 0xDA:
            kept.append(file[at - 2 :])
            return Contained(b"".join(kept), metadata.orientation())
        body = file[at + 2 : at + length]
        if marker == 0xE1 and body.startswith(_EXIF):
            metadata.exif.append(body)
        elif marker == 0xE1 and body.startswith(_XMP):
            metadata.xmp.append(body)
        if not (0xE0 <= marker <= 0xEF or marker == 0xFE) or _says_colour(marker, body):
            kept.append(file[at - 2 : at + length])
        at += length


def _says_colour(marker: int, body: bytes) -> bool:
    """Whether libjpeg reads from a segment which colours the numbers stand for."""
    jfif = marker == 0xE0 and body.startswith(b"JFIF\0") and len(body) >= 14
    return jfif or (marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12)


def _png(file: bytes) -> Contained:
    """PNG (ISO/IEC 15948): chunks. Further pictures of an animation are left out, too."""
    kept, metadata, at, pixels = [_PNG], _Metadata(), len(_PNG), False
    while at + 12 <= len(file):
        length, kind = struct.unpack_from(">I4s", file, at)
        body, end = file[at + 8 : at + 8 + length], at + 12 + length
        pixels = pixels or kind == b"IDAT"
        if kind in _PNG_PICTURE:
            kept.append(file[at:end])
        elif not (kind.isalpha() and end <= len(file)):
            break
        elif kind == b"eXIf":
            metadata.exif.append(body)
        elif kind in (b"tEXt", b"zTXt", b"iTXt"):
            _png_text(kind, body, metadata)
        at = end
    if not pixels:
        raise _DisorderError
    return Contained(b"".join(kept), metadata.orientation())


def _png_text(kind: bytes, body: bytes, metadata: _Metadata) -> None:
    """Note text of a PNG that holds EXIF, as ImageMagick writes it, or XMP."""
    name, _, text = body.partition(b"\0")
    if name not in (b"Raw profile type exif", b"XML:com.adobe.xmp"):
        return
    packed = kind == b"zTXt"
    if packed:
        text = text[1:]  # the method, of which there is one
    elif kind == b"iTXt":
        packed = text[:1] == b"\x01"
        text = text[2:].partition(b"\0")[2].partition(b"\0")[2]  # after a language and a translated name
    try:
        if packed:
            text = zlib.decompressobj().decompress(text, _UNPACKED)
        if name == b"XML:com.adobe.xmp":
            metadata.xmp.append(text)
        else:  # a line break, the profile's name, its length, and then digits
            metadata.exif.append(bytes.fromhex(b"".join(text.split(b"\n")[3:]).decode("ascii")))
    except (zlib.error, ValueError):
        return  # text that cannot be read states no orientation


def _webp(file: bytes) -> Contained:
    """WebP (RFC 9649): chunks of RIFF."""
    kept, metadata, at = [], _Metadata(), 12
    (size,) = struct.unpack_from("<I", file, 4)
    end_of_riff = min(len(file), 8 + size)
    while at + 8 <= end_of_riff:
        kind, length = struct.unpack_from("<4sI", file, at)
        end = at + 8 + length + length % 2
        chunk = file[at:end]
        if kind in _WEBP_METADATA:
            size -= len(chunk)
            metadata.exif += [chunk[8 : 8 + length]] if kind == b"EXIF" else []
            metadata.xmp += [chunk[8:]] if kind == b"XMP " else []
        elif kind == b"VP8X":
            kept.append(chunk[:8] + bytes([chunk[8] & ~sum(_WEBP_METADATA.values()) & 0xFF]) + chunk[9:])
        else:
            kept.append(chunk)
        at = end
    head = b"RIFF" + struct.pack("<I", size) + b"WEBP"
    return Contained(head + b"".join(kept), metadata.orientation())


class _Directory:
    """The first directory of a TIFF: where it lies and what it lists."""

    def __init__(self, tiff: bytes) -> None:
        if tiff[:4] not in _TIFF:
            raise _DisorderError
        self.order, self.big = _TIFF[tiff[:4]], b"+" in tiff[:4]
        self._tiff = tiff
        (self.at,) = struct.unpack_from(self.order + ("Q" if self.big else "I"), tiff, 8 if self.big else 4)
        self.start = self.at + (8 if self.big else 2)
        self.size = 20 if self.big else 12

    def entries(self) -> Iterator[tuple[int, int, int, int, int]]:
        """Yield tag, type, count, the place of the value or of its offset, and the place of the entry."""
        (count,) = struct.unpack_from(self.order + ("Q" if self.big else "H"), self._tiff, self.at)
        for i in range(count):
            place = self.start + i * self.size
            tag, kind, number = struct.unpack_from(
                self.order + ("HHQ" if self.big else "HHI"), self._tiff, place
            )
            yield tag, kind, number, place + self.size - (8 if self.big else 4), place

    def with_only(self, tags: frozenset[int]) -> bytes:
        """The file with entries of some tags alone, and without further directories."""
        kept = [self._tiff[place : place + self.size] for tag, *_, place in self.entries() if tag in tags]
        count = struct.pack(self.order + ("Q" if self.big else "H"), len(kept))
        directory = count + b"".join(kept) + bytes(8 if self.big else 4)
        end = self.at + len(directory)
        return self._tiff[: self.at] + directory + self._tiff[end:]


def _tiff(file: bytes) -> Contained:
    """TIFF (revision 6.0) and BigTIFF. The entries of the first picture move together."""
    directory, metadata = _Directory(file), _Metadata([file])
    for tag, _, count, value, _ in directory.entries():
        if tag == _TIFF_XMP:
            (offset,) = struct.unpack_from(directory.order + ("Q" if directory.big else "I"), file, value)
            metadata.xmp.append(file[offset : offset + count])
    return Contained(directory.with_only(_TIFF_PICTURE), metadata.orientation())


def _iso_media(file: bytes) -> Contained:
    """HEIC and AVIF (ISO/IEC 23008-12): blocks of EXIF and XMP become items of a kind that nobody reads."""
    out = bytearray(file)
    for kind, start, end in _boxes(file, 0, len(file)):
        if kind != b"meta":
            continue
        for inner, first, last in _boxes(file, start + 4, end):
            if inner != b"iinf":
                continue
            count_bytes = 2 if file[first] == 0 else 4
            for entry, body, _ in _boxes(file, first + 4 + count_bytes, last):
                place = body + (10 if file[body] == 3 else 8)
                if entry == b"infe" and file[body] >= 2 and file[place : place + 4] in (b"Exif", b"mime"):
                    out[place : place + 4] = b"free"
    return Contained(bytes(out))


def _boxes(file: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind of each box between two places, and where its content begins and ends."""
    while at + 8 <= end:
        length, kind = struct.unpack_from(">I4s", file, at)
        start = at + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", file, start)
            start += 8
        past = at + length if length else end
        if past < start or past > end:
            raise _DisorderError
        yield kind, start, past
        at = past
