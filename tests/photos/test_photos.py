"""Whatever a file is, it becomes upright 8-bit RGB, or one clear reason why not."""

from __future__ import annotations

import errno
import io
import os
import struct
import subprocess
import sys
import zlib
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from PIL.MpoImagePlugin import MpoImageFile

from bench.containers import MAX_PIXELS
from bench.errors import PassingError
from bench.photos import heif
from bench.photos.decode import UnreadablePhoto, decode, encode_png

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore:Image size")

Pixels = npt.NDArray[np.uint8]


@pytest.fixture
def pixels() -> Pixels:
    """Smooth, so that JPEG keeps it; no symmetry, so that turns show. 20 high, 32 wide."""
    ys, xs = np.mgrid[0:20, 0:32]
    return np.stack([xs * 7, ys * 9, (xs + ys) * 3], -1).astype(np.uint8)


def saved(photo: PIL.Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    photo.save(out, kind, **options)
    return out.getvalue()


def png(width: int, height: int, depth: int, rows: bytes) -> bytes:
    """An RGB file written by hand, true or not."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def reason(data: bytes | Pixels) -> str:
    with pytest.raises(UnreadablePhoto) as caught:
        decode(data)
    said = caught.value.reason
    assert said == str(caught.value)
    assert "\n" not in said
    assert "0x" not in said  # no addresses: the same bytes give the same reason
    return said


def test_png_comes_back_exactly(pixels: Pixels) -> None:
    back = decode(encode_png(pixels))
    assert back.dtype == np.uint8
    assert back.flags.c_contiguous
    np.testing.assert_array_equal(back, pixels)


def test_png_bytes_depend_on_the_pixels_alone(pixels: Pixels) -> None:
    assert encode_png(pixels) == encode_png(pixels.copy())
    assert b"tEXt" not in encode_png(pixels)


def test_pixels_pass_through_untouched(pixels: Pixels) -> None:
    np.testing.assert_array_equal(decode(pixels), pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(pixels: Pixels, orientation: int) -> None:
    # what a camera stores for each orientation, so that the photo seen is always `pixels`
    stored = {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.transpose(1, 0, 2),
        6: np.rot90(pixels, 1),
        7: pixels.transpose(1, 0, 2)[::-1, ::-1],
        8: np.rot90(pixels, -1),
    }[orientation]
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    data = saved(PIL.Image.fromarray(np.ascontiguousarray(stored)), "PNG", exif=exif)
    np.testing.assert_array_equal(decode(data), pixels)


def test_cmyk_jpeg(pixels: Pixels) -> None:
    cmyk = PIL.Image.fromarray(pixels).convert("CMYK")
    back = decode(saved(cmyk, "JPEG", quality=95))
    assert back.shape == pixels.shape
    assert np.abs(back.astype(int) - pixels).mean() < 6


def test_sixteen_bit_grey_png_is_scaled_not_clipped() -> None:
    grey = np.array([[0, 257, 32768, 65535, 256]], np.uint16)
    # v * 255 / 65535, rounded: 32768 / 257 = 127.5 rounds up; 256 / 257 = 0.996 -> 1
    np.testing.assert_array_equal(
        decode(saved(PIL.Image.fromarray(grey), "PNG"))[0, :, 0], [0, 1, 128, 255, 1]
    )


def test_sixteen_bit_rgb_png() -> None:
    row = b"\0" + struct.pack(">6H", 0, 32768, 65535, 65535, 0, 514)  # two pixels
    data = png(2, 1, 16, row)
    np.testing.assert_array_equal(decode(data), [[[0, 128, 255], [255, 0, 2]]])


def test_palette_and_its_transparency() -> None:
    photo = PIL.Image.new("P", (3, 1))
    photo.putpalette([10, 20, 30, 200, 0, 0, 0, 99, 0])
    photo.putdata([0, 1, 2])
    np.testing.assert_array_equal(decode(saved(photo, "PNG")), [[[10, 20, 30], [200, 0, 0], [0, 99, 0]]])
    see_through = decode(saved(photo, "PNG", transparency=1))
    np.testing.assert_array_equal(see_through, [[[10, 20, 30], [255, 255, 255], [0, 99, 0]]])


def test_alpha_is_laid_on_white() -> None:
    rgba = np.array([[[100, 0, 0, 255], [100, 0, 0, 0], [100, 0, 0, 51]]], np.uint8)
    # 51/255 = 1/5: 100 / 5 + 255 * 4 / 5 = 224, 0 + 204
    expected = [[[100, 0, 0], [255, 255, 255], [224, 204, 204]]]
    np.testing.assert_array_equal(decode(saved(PIL.Image.fromarray(rgba), "PNG")), expected)


def test_a_camera_file_of_several_pictures_shows_its_first(pixels: Pixels) -> None:
    first, second = PIL.Image.fromarray(pixels), PIL.Image.new("RGB", (8, 8), "red")
    turned = PIL.Image.Exif()
    turned[0x0112] = 3
    data = saved(first.rotate(180), "MPO", save_all=True, append_images=[second], quality=95, exif=turned)
    with PIL.Image.open(io.BytesIO(data)) as photo:
        assert isinstance(photo, MpoImageFile)
        assert photo.n_frames == 2
    back = decode(data)
    assert back.shape == pixels.shape
    assert np.abs(back.astype(int) - pixels).mean() < 6


HEIC = pytest.mark.skipif(find_spec("pillow_heif") is None, reason="the extra 'heic' is not installed")


def heic(pixels: Pixels, **options: object) -> bytes:
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False)
    return saved(PIL.Image.fromarray(np.ascontiguousarray(pixels)), "HEIF", quality=95, **options)


@pytest.fixture
def large(pixels: Pixels) -> Pixels:
    """HEVC codes blocks: something larger than one."""
    return np.kron(pixels, np.ones((4, 4, 1), np.uint8))


@HEIC
def test_heic(large: Pixels) -> None:
    back = decode(heic(large))
    assert back.shape == large.shape
    assert np.abs(back.astype(int) - large).mean() < 6


@HEIC
def test_a_turned_heic_is_turned_once(large: Pixels) -> None:
    # such a file says twice how it is turned: in a box of its own and in EXIF
    turned = PIL.Image.Exif()
    turned[0x0112] = 6
    data = heic(np.rot90(large, 1), exif=turned.tobytes())
    assert b"irot" in data
    back = decode(data)
    assert back.shape == large.shape
    assert np.abs(back.astype(int) - large).mean() < 6


@HEIC
def test_damaged_heic_has_a_reason(large: Pixels) -> None:
    data = heic(large)
    for share in (0.1, 0.5, 0.9):
        assert reason(data[: int(len(data) * share)]).startswith("broken HE")
    rng = np.random.default_rng(0)
    for _ in range(60):
        damaged = np.frombuffer(data, np.uint8).copy()
        damaged[rng.integers(0, len(data), 6)] = rng.integers(0, 256, 6)
        try:
            assert decode(damaged.tobytes()).ndim == 3
        except UnreadablePhoto as error:
            assert "\n" not in error.reason
            assert "0x" not in error.reason


def test_heic_without_the_extra_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)  # what Python remembers of a failed import
    heif.readable.cache_clear()
    try:
        head = b"\0\0\0\x1cftypheic\0\0\0\0mif1heicmiaf"
        assert reason(head + b"\0" * 99) == "HEIC file: pip install 'cloakbench[heic]' to read it"
    finally:
        heif.readable.cache_clear()


@pytest.mark.parametrize(
    ("box", "is_one"),
    [
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", True),
        (b"\0\0\0\x14ftypheix\0\0\0\0mif1", True),
        (b"\0\0\0\x18ftypavif\0\0\0\0avifmif1", False),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", False),
        (b"\0\0\0\x10ftypmif1heic" + b"heic", False),  # a version number and what follows are no brands
        (b"\xff\xd8\xff\xe0", False),
        (b"", False),
    ],
)
def test_what_says_that_it_is_heic(box: bytes, is_one: bool) -> None:
    assert heif.is_heif(box) is is_one


@pytest.mark.parametrize("mode", ["L", "1", "LA"])
def test_grey_becomes_three_equal_channels(mode: str) -> None:
    photo = PIL.Image.new("L", (4, 3), 255).convert(mode)
    back = decode(saved(photo, "PNG"))
    assert back.shape == (3, 4, 3)
    assert np.unique(back).tolist() == [255]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_one_pixel(kind: str) -> None:
    assert decode(saved(PIL.Image.new("RGB", (1, 1), "white"), kind)).shape == (1, 1, 3)


def test_nothing_at_all() -> None:
    assert reason(b"") == "the file is empty"


def test_text_called_jpg() -> None:
    assert reason(b"dear diary, this is no photo\n" * 20) == "not a photo in any format that Pillow reads"


def test_no_other_program_is_run_for_a_photo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("starts a program"))
    drawing = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n(x) print\n%%EOF\n"
    for data in (drawing, b"\xc5\xd0\xd3\xc6" + b"\0" * 28 + drawing):
        assert reason(data) == "a drawing in PostScript, not a photo"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF", "BMP", "WEBP"])
def test_every_truncation_has_a_reason(pixels: Pixels, kind: str) -> None:
    big = np.kron(pixels, np.ones((6, 6, 1), np.uint8))
    data = saved(PIL.Image.fromarray(big), kind)
    for share in (0.02, 0.3, 0.6):
        assert reason(data[: int(len(data) * share)])


def test_truncated_jpeg_says_so(pixels: Pixels) -> None:
    data = saved(PIL.Image.fromarray(np.kron(pixels, np.ones((8, 8, 1), np.uint8))), "JPEG")
    assert reason(data[: len(data) // 2]).startswith("broken JPEG file: image file is truncated")


def test_damaged_bytes_never_escape_as_another_error(pixels: Pixels) -> None:
    rng = np.random.default_rng(0)
    for kind in ("JPEG", "PNG", "GIF", "TIFF", "WEBP"):
        data = np.frombuffer(saved(PIL.Image.fromarray(pixels), kind), np.uint8)
        for _ in range(60):
            damaged = data.copy()
            at = rng.integers(0, len(data), 6)
            damaged[at] = rng.integers(0, 256, 6)
            try:
                assert decode(damaged.tobytes()).ndim == 3
            except UnreadablePhoto as error:
                assert "\n" not in error.reason


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOMEM, errno.EIO, errno.EACCES])
@pytest.mark.parametrize("call", ["PIL.Image.open", "PIL.ImageFile.ImageFile.load"])
def test_what_the_system_refuses_is_no_property_of_the_photo(
    pixels: Pixels, number: int, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # such as a reader of Pillow's that is imported at its first use, when too many files are open
    data = saved(PIL.Image.fromarray(pixels), "PNG")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(call, refuse)
        with pytest.raises(PassingError, match=os.strerror(number)):
            decode(data)
    assert (decode(data) == pixels).all()


@pytest.mark.parametrize("side", [int(MAX_PIXELS**0.5) + 1, 40_000])
def test_decompression_bomb_is_refused_before_it_is_unpacked(side: int) -> None:
    assert "pixels" in reason(png(side, side, 8, b""))


def test_float_samples_are_refused() -> None:
    photo = PIL.Image.fromarray(np.ones((2, 2), np.float32))
    assert "32-bit" in reason(saved(photo, "TIFF"))


@pytest.mark.parametrize(
    "array", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8)]
)
def test_arrays_of_another_shape_are_refused(array: Pixels) -> None:
    assert "not uint8 [height, width, 3]" in reason(array)
