"""From files of photos to pixels, and back. Every data set is read by this one function.

Colour profiles are ignored, as face recognisers ignore them.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib

import numpy as np
import PIL.Image
from PIL import ImageOps

from bench.errors import cannot_read
from bench.photos import heif
from bench.types import Image

MAX_PIXELS = 100_000_000
"""The most pixels of a photo. Larger photos, above 300 MB as RGB, are refused before they are decoded."""

_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    OverflowError,
    IndexError,
    KeyError,
    TypeError,
    NotImplementedError,
    struct.error,
    zlib.error,
)
"""The exceptions of Pillow's readers for files that are not what they claim to be."""


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

    EXIF orientation is applied. Transparency is laid on white. 16-bit samples are scaled to 8 bits. CMYK,
    palette, grey and other modes become RGB. Of several pictures in a file, the first is taken. HEIC files
    need the extra `heic`.

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
    kind = "file"
    if heif.is_heif(data):
        kind = "HEIC file"
        if not heif.readable():
            raise UnreadablePhoto(heif.MISSING)
    try:
        with PIL.Image.open(io.BytesIO(data)) as photo:
            kind = f"{photo.format} file"
            width, height = photo.size
            if width * height > MAX_PIXELS:
                raise UnreadablePhoto(f"{width} x {height} is more than {MAX_PIXELS:,} pixels")
            photo.load()
            ImageOps.exif_transpose(photo, in_place=True)
            return _rgb(photo)
    except PIL.UnidentifiedImageError:
        said = "not a photo in any format that Pillow reads" if kind == "file" else f"broken {kind}"
        raise UnreadablePhoto(said) from None
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning):
        raise UnreadablePhoto(f"more than {MAX_PIXELS:,} pixels") from None
    except _BROKEN as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise cannot_read(error, "a photo") from error  # the system's fault, not the file's
        said = " ".join(str(error).split()) or type(error).__name__
        raise UnreadablePhoto(f"broken {kind}: {said}") from error


def pixels(data: bytes) -> int:
    """The number of pixels that a file states in its first bytes; 0 for a file that is no photo."""
    if heif.is_heif(data) and not heif.readable():
        return 0
    try:
        with PIL.Image.open(io.BytesIO(data)) as photo:
            return photo.width * photo.height
    except (PIL.UnidentifiedImageError, PIL.Image.DecompressionBombError, *_BROKEN):
        return 0


def encode_png(image: Image) -> bytes:
    """Encode pixels as a PNG file: lossless, without metadata, the same bytes for the same pixels.

    Args:
        image: uint8 [height, width, 3].
    """
    out = io.BytesIO()
    PIL.Image.fromarray(image, "RGB").save(out, "PNG", compress_level=3)
    return out.getvalue()


def _rgb(photo: PIL.Image.Image) -> Image:
    if photo.mode.startswith("I;16") or (photo.mode == "I" and photo.format in {"PNG", "PPM"}):
        grey = np.asarray(photo).astype(np.int64)
        eight = ((np.clip(grey, 0, 65535) + 128) // 257).astype(np.uint8)
        return np.ascontiguousarray(np.repeat(eight[:, :, None], 3, axis=2))
    if photo.mode in {"I", "F"}:
        raise UnreadablePhoto(f"{photo.format} file with 32-bit samples: nothing says which value is white")
    if photo.mode in {"RGBA", "RGBa", "LA", "La", "PA"} or "transparency" in photo.info:
        layer = photo.convert("RGBA")
        photo = PIL.Image.new("RGBA", layer.size, "white")
        photo.alpha_composite(layer)
    return np.array(photo if photo.mode == "RGB" else photo.convert("RGB"), np.uint8)
