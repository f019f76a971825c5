"""Large photos are read in the memory that is stated, and what only states a size is refused by its head."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import Callable

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.containers import MAX_PIXELS
from bench.photos import decode as module
from bench.photos.decode import FREE_PIXELS, MOST_PIXELS_A_BYTE, UnreadablePhoto, decode, pixels
from bench.photos.looks import look

pytestmark = pytest.mark.filterwarnings("ignore:Image size")


def png(width: int, height: int) -> bytes:
    """A file that states a size and holds nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def bmp(width: int, height: int) -> bytes:
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + head


def jpeg(width: int, height: int) -> bytes:
    out = io.BytesIO()
    PIL.Image.new("RGB", (16, 16)).save(out, "JPEG")
    file = out.getvalue()
    place = file.index(b"\xff\xc0") + 5
    return file[:place] + struct.pack(">HH", height, width) + file[place + 4 :]


def tiff(width: int, height: int) -> bytes:
    entries = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 8),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (279, 4, 1, 1),
    ]
    return (
        struct.pack("<2sHIH", b"II", 42, 8, 6)
        + b"".join(struct.pack("<HHII", *e) for e in entries)
        + bytes(4)
    )


def icon(width: int, height: int) -> bytes:
    inner = png(width, height)
    return (
        struct.pack("<HHH", 0, 1, 1) + struct.pack("<BBBBHHII", 64, 64, 0, 0, 1, 32, len(inner), 22) + inner
    )


def gif(width: int, height: int) -> bytes:
    out = io.BytesIO()
    PIL.Image.new("P", (16, 16)).save(out, "GIF")
    small, large = struct.pack("<HH", 16, 16), struct.pack("<HH", width, height)
    return out.getvalue().replace(small, large)  # of the screen, and of the picture on it


@given(
    st.sampled_from([png, bmp, jpeg, tiff, icon, gif]),
    st.integers(8_000, 65_000),
    st.integers(8_000, 65_000),
)
def test_a_size_that_is_stated_and_not_held_takes_no_memory(
    write: Callable[[int, int], bytes], width: int, height: int
) -> None:
    file = write(width, height)
    assert width * height > FREE_PIXELS > MOST_PIXELS_A_BYTE * len(file)
    tracemalloc.start()
    try:
        with pytest.raises(UnreadablePhoto, match="pixels"):
            decode(file)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert pixels(file) == 0
    assert "pixels" in look(file).unreadable
    assert peak < 8 * 2**20  # readers that Pillow loads at their first use among it


def test_phone_photos_of_200_megapixels_are_within_the_limit() -> None:
    module.check_size(16384, 12288, 8_000_000)
    module.check_size(12000, 9000, 4_000_000)
    with pytest.raises(UnreadablePhoto, match="20000 x 12501 is more than 250,000,000 pixels"):
        module.check_size(20000, 12501, 90_000_000)
    assert MAX_PIXELS == 250_000_000


DECODED = """
import io, json
import PIL.Image
from bench.machine.memory import peak_memory
from bench.photos.decode import decode

exif = PIL.Image.Exif()
exif[0x0112] = 6
peaks = {}
for name in ["P PNG", "L JPEG", "RGB PNG", "RGB JPEG", "RGBA PNG", "CMYK JPEG"]:
    mode, kind = name.split()
    photo = PIL.Image.new(mode, (6000, 4500))
    out = io.BytesIO()
    photo.save(out, kind, exif=exif, **({"compress_level": 1} if kind == "PNG" else {}))
    del photo
    assert decode(out.getvalue()).shape == (6000, 4500, 3)
    peaks[name] = peak_memory()
print(json.dumps(peaks))
"""


@pytest.mark.slow
def test_decoding_takes_seven_bytes_a_pixel() -> None:
    done = subprocess.run([sys.executable, "-c", DECODED], capture_output=True, text=True, check=True)
    peaks = json.loads(done.stdout)
    # 27 million pixels: 180 MiB at seven bytes each; the interpreter, NumPy and Pillow besides
    assert max(peaks.values()) < 7 * 27e6 / 2**20 + 60, peaks


def test_bands_are_seams_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    for mode in ("RGB", "RGBA", "P", "L", "1"):
        photo = PIL.Image.fromarray(rng.integers(0, 256, (37, 23, 3), dtype=np.uint8)).convert(mode)
        for orientation in range(1, 9):
            exif = PIL.Image.Exif()
            exif[0x0112] = orientation
            out = io.BytesIO()
            photo.save(out, "PNG", exif=exif)
            monkeypatch.setattr(module, "_BAND", 10**9)
            whole = decode(out.getvalue())
            monkeypatch.setattr(module, "_BAND", 100)
            np.testing.assert_array_equal(decode(out.getvalue()), whole)
