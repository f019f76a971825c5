"""Metadata of photos that is broken, or that says something unusual, in every format that cameras write."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import PIL.Image

from bench.photos.decode import UnreadablePhoto, decode
from bench.types import Image
from injecting.injection import CannotInjectError, Injection, Outcome, draws

TAGS = (
    270,
    271,
    272,
    282,
    283,
    296,
    305,
    306,
    315,
    531,
    532,
    700,
    33432,
    34665,
    34853,
    34675,
    37510,
    40091,
    50341,
)
"""Descriptions, resolutions, makers, dates, XMP, profiles, and directories of further tags."""

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="%d"/></x:xmpmeta>'


@dataclass(frozen=True)
class Written:
    """Metadata and what it states.

    Attributes:
        exif: A block of EXIF; empty for none.
        xmp: A block of XMP; empty for none.
        orientation: What a reader has to make of both.
    """

    exif: bytes
    xmp: bytes
    orientation: int


def directory(rng: random.Random, order: str, orientation: tuple[int, int, int] | None) -> bytes:
    """The first directory of EXIF: tags of any type with values anywhere, and the orientation among them.

    Args:
        rng: Decides.
        order: `<` or `>`.
        orientation: Type, count and value of the orientation's tag; None for no such tag.
    """
    entries = [
        struct.pack(
            order + "HHI4s",
            rng.choice(TAGS),
            rng.choice((rng.randrange(14), rng.randrange(2**16))),
            rng.choice((0, 1, 2, rng.randrange(300), rng.randrange(2**32))),
            rng.randbytes(4),
        )
        for _ in range(rng.randrange(8))
    ]
    if orientation is not None:
        kind, count, value = orientation
        packed = struct.pack(order + ("I" if kind in (4, 9) else "H"), value).ljust(4, b"\0")
        entries.insert(
            rng.randint(0, len(entries)), struct.pack(order + "HHI4s", 0x0112, kind, count, packed)
        )
    after = struct.pack(order + "I", rng.choice((0, rng.randrange(2**32))))
    return (
        struct.pack(order + "H", len(entries)) + b"".join(entries) + after + rng.randbytes(rng.randrange(60))
    )


def exif(rng: random.Random, orientation: tuple[int, int, int] | None) -> bytes:
    """A block of EXIF in either order of bytes, whose directory need not follow its header."""
    order, gap = rng.choice("<>"), rng.choice((0, 0, 2, 30))
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + gap)
    return head + bytes(gap) + directory(rng, order, orientation)


def unreadable(rng: random.Random, block: bytes) -> bytes:
    """A block of EXIF whose directory cannot be reached, made of one that is whole."""
    return rng.choice(
        (
            b"",
            rng.randbytes(rng.randrange(1, 50)).replace(b"II", b"IO").replace(b"MM", b"MN"),
            block[: rng.randrange(8)],
            b"XX" + block[2:],
            block[:2] + b"\x07\x07" + block[4:],
            block[:4] + b"\xf0\xf0\xf0\xf0" + block[8:],
        )
    )


def metadata(rng: random.Random) -> Written:
    """Metadata whose orientation can be read, or that states none that can be."""
    turn = rng.randint(1, 8)
    stated = (rng.choice((3, 3, 3, 4)), 1, turn)
    unusual = rng.choice(
        [(2, 1, turn), (5, 1, turn), (12, 1, turn), (3, 1, rng.choice((0, 9, 65535))), (3, 7, turn)]
    )
    xmp = rng.choice(
        (b"", XMP % turn, XMP % turn, XMP[:60], rng.randbytes(30), b"\xff\xfe" + b"tiff:Orientation")
    )
    by_xmp = turn if xmp == XMP % turn else 1
    broken = unreadable(rng, exif(rng, stated))
    return rng.choice(
        (
            Written(exif(rng, stated), rng.choice((b"", XMP % (9 - turn))), turn),
            Written(exif(rng, stated), b"", turn),
            Written(exif(rng, unusual), xmp, by_xmp),
            Written(exif(rng, None), xmp, by_xmp),
            Written(broken, xmp, by_xmp),
        )
    )


def saved(pixels: Image, kind: str, **options: object) -> bytes:
    """A file of some pixels without metadata."""
    out = io.BytesIO()
    PIL.Image.fromarray(pixels).save(out, kind, **options)
    return out.getvalue()


def segment(marker: int, body: bytes) -> bytes:
    """A segment of JPEG."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def jpeg(pixels: Image, written: Written, rng: random.Random) -> tuple[bytes, bytes]:
    """A JPEG without metadata and the same with it, in an order that is drawn."""
    plain = saved(pixels, "JPEG", quality=rng.randint(30, 95), progressive=rng.random() < 0.3)
    parts = [segment(0xE1, b"Exif\0\0" + written.exif)] * bool(written.exif)
    parts += [segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + written.xmp)] * bool(written.xmp)
    starts = (
        b"",
        b"JFIF",
        b"JFXX\0",
        b"ICC_PROFILE\0\1\1",
        b"MPF\0II*\0",
        b"Photoshop 3.0\0",
        b"Adobe",
        b"Exif",
    )
    for _ in range(rng.randrange(4)):
        # no body that is itself whole JFIF or Adobe: those two say which colours the numbers stand for
        body = rng.choice(starts) + rng.randbytes(rng.randrange(6))
        parts.insert(rng.randint(0, len(parts)), segment(rng.choice((*range(0xE0, 0xF0), 0xFE)), body))
    return plain, plain[:2] + b"".join(parts) + plain[2:]


def png_chunk(kind: bytes, body: bytes, whole: bool = True) -> bytes:
    """A chunk of PNG; its sum is wrong if it is not whole."""
    return (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body) ^ (not whole))
    )


def png(pixels: Image, written: Written, rng: random.Random) -> tuple[bytes, bytes]:
    """A PNG without metadata and the same with it, before or behind the pixels."""
    plain = saved(pixels, "PNG")
    as_text = rng.random() < 0.3
    parts = [png_chunk(b"eXIf", written.exif)] * (bool(written.exif) and not as_text)
    if written.exif and as_text:  # as ImageMagick writes it
        text = b"\nexif\n%8d\n%s\n" % (len(written.exif), written.exif.hex().encode())
        packed = b"\0" + zlib.compress(text)
        kind, body = rng.choice(((b"tEXt", text), (b"zTXt", packed)))
        parts.append(png_chunk(kind, b"Raw profile type exif\0" + body))
    if written.xmp:
        flag, text = rng.choice(((b"\0", written.xmp), (b"\1", zlib.compress(written.xmp))))
        parts.append(png_chunk(b"iTXt", b"XML:com.adobe.xmp\0" + flag + b"\0en\0\0" + text))
    kinds = (
        b"tEXt",
        b"zTXt",
        b"iTXt",
        b"iCCP",
        b"pHYs",
        b"gAMA",
        b"cHRM",
        b"sRGB",
        b"tIME",
        b"sBIT",
        b"acTL",
        b"fcTL",
    )
    for _ in range(rng.randrange(4)):
        chunk = png_chunk(rng.choice(kinds), rng.randbytes(rng.randrange(30)), rng.random() < 0.7)
        parts.insert(rng.randint(0, len(parts)), chunk)
    place = rng.choice((33, len(plain) - 12))  # behind the head, or before the end
    return plain, plain[:place] + b"".join(parts) + plain[place:]


def webp(pixels: Image, written: Written, rng: random.Random) -> tuple[bytes, bytes]:
    """A WebP without metadata and the same with it."""
    plain = saved(pixels, "WEBP", lossless=rng.random() < 0.5)
    height, width = pixels.shape[:2]

    def chunk(kind: bytes, body: bytes) -> bytes:
        return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)

    parts = [chunk(b"ICCP", rng.randbytes(rng.randrange(20)))] * (rng.random() < 0.5) + [plain[12:]]
    parts += [chunk(b"EXIF", rng.choice((b"", b"Exif\0\0")) + written.exif)] * bool(written.exif)
    parts += [chunk(b"XMP ", written.xmp)] * bool(written.xmp)
    parts += [chunk(rng.choice((b"JUNK", b"abcd")), rng.randbytes(rng.randrange(9)))] * (rng.random() < 0.3)
    flags = (
        0x20 * (len(parts[0]) < 40 and parts[0][:4] == b"ICCP")
        | 0x08 * bool(written.exif)
        | 4 * bool(written.xmp)
    )
    canvas = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    body = b"WEBP" + chunk(b"VP8X", bytes((flags, 0, 0, 0)) + canvas) + b"".join(parts)
    return plain, b"RIFF" + struct.pack("<I", len(body)) + body


def tiff(pixels: Image, written: Written, rng: random.Random) -> tuple[bytes, bytes]:
    """A TIFF without metadata, and the same with further tags in its directory, which moves to the end.

    A TIFF is itself a block of EXIF, so its orientation is an entry of its own, or none.
    """
    plain = saved(pixels, "TIFF", compression=rng.choice((None, "tiff_lzw", "tiff_adobe_deflate", "jpeg")))
    (at,) = struct.unpack_from("<I", plain, 4)
    (count,) = struct.unpack_from("<H", plain, at)
    entries = [plain[at + 2 + 12 * i : at + 14 + 12 * i] for i in range(count)]
    for tag in rng.sample([tag for tag in TAGS if tag not in (531, 532, 700)], rng.randrange(6)):
        kind, number = (
            rng.choice((rng.randrange(14), rng.randrange(2**16))),
            rng.choice((0, 1, 3, rng.randrange(2**32))),
        )
        entries.append(struct.pack("<HHI4s", tag, kind, number, rng.randbytes(4)))
    if written.orientation != 1:
        entries.append(struct.pack("<HHIHH", 0x0112, 3, 1, written.orientation, 0))
    entries.sort(key=lambda entry: struct.unpack("<H", entry[:2]))
    body = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return plain, plain[:4] + struct.pack("<I", len(plain)) + plain[8:] + body


def _iso(kind: str) -> Callable[[Image, Written, random.Random], tuple[bytes, bytes]]:
    def write(pixels: Image, written: Written, rng: random.Random) -> tuple[bytes, bytes]:
        """Two files whose pixels are turned by a box; in one, EXIF is another block of the same length."""
        turned = PIL.Image.Exif()
        turned[0x0112], turned[270] = rng.randint(1, 8), "a" * 150
        whole = saved(pixels, kind, quality=80, exif=turned.tobytes())
        place = whole.index(b"a" * 150) - 60
        start = max(whole.rfind(b"II*\0", 0, place + 60), whole.rfind(b"MM\0*", 0, place + 60))
        length = whole.index(b"a" * 150) + 150 - start
        block = written.exif[:length]
        return whole, whole[:start] + block + rng.randbytes(length - len(block)) + whole[start + length :]

    return write


Write = Callable[[Image, Written, random.Random], tuple[bytes, bytes]]

FORMATS: dict[str, Write] = {"JPEG": jpeg, "PNG": png, "WebP": webp, "TIFF": tiff, "AVIF": _iso("AVIF")}
HEIC: dict[str, Write] = {"HEIC": _iso("HEIF")}

STORED: dict[int, Callable[[Image], Image]] = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.transpose(1, 0, 2),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: stored[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90,
}
"""The orientation, as EXIF counts it -> what turns stored pixels upright."""


def read(kind: str, write: Write, rng: random.Random) -> Outcome:
    """Write a photo twice, without and with metadata, and read both."""
    pixels = np.random.default_rng(rng.randrange(2**32)).integers(
        0, 256, (rng.randint(17, 50), rng.randint(17, 50), 3)
    )
    written = metadata(rng)
    plain, file = write(pixels.astype(np.uint8), written, rng)
    orientation = 1 if write in (FORMATS["AVIF"], *HEIC.values()) else written.orientation
    try:
        same = np.array_equal(decode(file), STORED[orientation](decode(plain)))
    except UnreadablePhoto as error:
        return Outcome(f"{kind} refused: {error.reason}", False)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is wrong
        return Outcome(f"{kind} ends the run: {type(error).__name__}", False)
    return Outcome(f"{kind} read" if same else f"{kind} read as another picture", same)


def photos(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Read photos of all formats with metadata, in memory."""
    del folder
    if find_spec("pillow_heif") is None:
        raise CannotInjectError("the extra 'heic' is not installed")
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False)
    formats = [*(FORMATS | HEIC).items()]
    return Counter(read(*formats[i % len(formats)], rng) for i, rng in enumerate(draws(times, seed)))


def cut(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Cut JPEG files near their ends, in memory."""
    del folder
    return Counter(_cut(rng) for rng in draws(times, seed))


def _cut(rng: random.Random) -> Outcome:
    side = (rng.randint(9, 60), rng.randint(9, 60))
    noise = np.random.default_rng(rng.randrange(2**32))
    pixels = np.clip(np.linspace(0, 200, side[1])[None, :, None] + noise.integers(0, 50, (*side, 3)), 0, 255)
    photo = PIL.Image.fromarray(pixels.astype(np.uint8)).convert(rng.choice(("RGB", "RGB", "L", "CMYK")))
    out = io.BytesIO()
    photo.save(
        out,
        "JPEG",
        quality=rng.choice((20, 75, 95)),
        progressive=rng.random() < 0.4,
        optimize=rng.random() < 0.3,
        restart_marker_blocks=rng.choice((0, 0, 2)),
    )
    file, less = (
        out.getvalue(),
        rng.choice((1, 2, 2, 3, 4, rng.randint(1, 40), rng.randint(1, len(out.getvalue())))),
    )
    try:
        whole, got = decode(file), decode(file[: len(file) - less])
    except UnreadablePhoto:
        return (
            Outcome("refused, pixels are missing", True)
            if less > 2
            else Outcome("refused, only its end missing", False)
        )
    except Exception as error:  # noqa: BLE001 - as above
        return Outcome(f"ends the run: {type(error).__name__}", False)
    differs = (whole != got).any(2)
    if not differs.any():
        return Outcome("read, with every pixel", True)
    block = [(length - 1) // 16 * 16 - 1 for length in differs.shape]  # colour is smoothed across its edge
    last = differs.sum() == differs[max(0, block[0]) :, max(0, block[1]) :].sum()
    return Outcome("read, the last block lacks detail" if last else "read as another picture", bool(last))


METADATA = Injection(
    "metadata-of-photos",
    "a JPEG, PNG, WebP, TIFF, AVIF or HEIC file gets metadata of any form: tags of types that they cannot "
    "have, values and directories anywhere, EXIF that is no TIFF, broken profiles, texts, chunks and markers",
    "the pixels are those of the file without metadata, turned by the orientation that was written where it "
    "can be read; in HEIC and AVIF a box of the picture alone says how it is turned",
    2000,
    photos,
)
CUT = Injection(
    "cut-jpeg",
    "a JPEG file, with one scan or several, loses its end: a byte, the mark of its end, or any number",
    "it is read as the whole file is, or refused; refused only where more than the mark is gone. "
    "Where a few bits are gone that no trial brings out, the last block lacks detail",
    2000,
    cut,
)
INJECTIONS = (METADATA, CUT)
