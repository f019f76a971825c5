"""Platforms: re-encoding, resizing, cropping, smoothing and fewer bits.

Each platform is a frozen record of its parameters. A photo of any size comes out at its own size, as 8-bit
RGB. Only pixels go in and out, so no EXIF and no colour profile survives.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import ClassVar

import numpy as np
from PIL import Image as Pillow
from PIL import ImageFilter

from bench.channels.numbers import written
from bench.errors import UserError
from bench.types import Image

FILTERS = {
    "nearest": Pillow.Resampling.NEAREST,
    "bilinear": Pillow.Resampling.BILINEAR,
    "bicubic": Pillow.Resampling.BICUBIC,
    "lanczos": Pillow.Resampling.LANCZOS,
}
"""Pillow's resampling filters by name. All but `nearest` widen with the scale, so that nothing aliases."""


@dataclass(frozen=True)
class Direct:
    """The released file itself, unchanged."""

    purifier: ClassVar[bool] = False
    libraries: ClassVar[tuple[str, ...]] = ()

    def __call__(self, photo: Image) -> Image:
        """Return the photo as it is."""
        return photo

    def __str__(self) -> str:
        return "none"


@dataclass(frozen=True)
class Jpeg:
    """Re-encoding as baseline JPEG with 4:2:0 chroma, as photo platforms do (libjpeg through Pillow).

    Attributes:
        quality: The quality on libjpeg's scale, 1 to 100.
    """

    purifier: ClassVar[bool] = False
    libraries: ClassVar[tuple[str, ...]] = ("pillow",)
    quality: int

    def __call__(self, photo: Image) -> Image:
        """Encode and decode once."""
        file = BytesIO()
        Pillow.fromarray(photo).save(file, "JPEG", quality=self.quality, subsampling=2)
        return array(Pillow.open(file).convert("RGB"))

    def __str__(self) -> str:
        return f"jpeg:{self.quality}"


@dataclass(frozen=True)
class Webp:
    """Re-encoding as lossy WebP by libwebp's default method 4 (RFC 9649); chroma is always 4:2:0.

    Attributes:
        quality: The quality on libwebp's scale, 1 to 100. This is not libjpeg's scale.
    """

    purifier: ClassVar[bool] = False
    libraries: ClassVar[tuple[str, ...]] = ("pillow",)
    quality: int

    def __call__(self, photo: Image) -> Image:
        """Encode and decode once.

        Raises:
            UserError: A side of the photo is above 16,383 pixels, which the format cannot hold.
        """
        if max(photo.shape[:2]) > 16383:
            height, width = photo.shape[:2]
            raise UserError(
                f"channel {str(self)!r}: a photo of {width} x {height} pixels is larger than WebP can hold "
                "(16383 a side). Make it smaller, or try --channel jpeg:75."
            )
        file = BytesIO()
        Pillow.fromarray(photo).save(file, "WEBP", quality=self.quality, method=4)
        return array(Pillow.open(file).convert("RGB"))

    def __str__(self) -> str:
        return f"webp:{self.quality}"


@dataclass(frozen=True)
class Resize:
    """Resizing by a factor, and back to the old size.

    Attributes:
        factor: The factor of both sides, in (0, 1]; a side keeps at least one pixel.
        filter: One of `FILTERS`, used both ways.
    """

    purifier: ClassVar[bool] = False
    libraries: ClassVar[tuple[str, ...]] = ("pillow",)
    factor: float
    filter: str = "bicubic"

    def __call__(self, photo: Image) -> Image:
        """Scale twice, with 8-bit values in between."""
        height, width = photo.shape[:2]
        return scaled(
            scaled(photo, *smaller(width, height, self.factor), self.filter), width, height, self.filter
        )

    def __str__(self) -> str:
        return f"resize:{written(self.factor)}" + (f":{self.filter}" if self.filter != "bicubic" else "")


@dataclass(frozen=True)
class CropPad:
    """The outermost pixels of every side become black, as in a crop that is padded back.

    Attributes:
        share: The share of a side's length that goes at either end, in [0, 0.5), rounded down to pixels.
    """

    purifier: ClassVar[bool] = False
    libraries: ClassVar[tuple[str, ...]] = ()
    share: float

    def __call__(self, photo: Image) -> Image:
        """Crop, then pad. The rest of the photo stays in place."""
        rows, columns = (int(self.share * side) for side in photo.shape[:2])
        inside = np.s_[rows : photo.shape[0] - rows, columns : photo.shape[1] - columns]
        padded = np.zeros_like(photo)
        padded[inside] = photo[inside]
        return padded

    def __str__(self) -> str:
        return f"crop-pad:{written(self.share)}"


@dataclass(frozen=True)
class Gaussian:
    """Convolution with a Gaussian that is cut off at 4 sigma. Edge pixels are repeated outside the photo.

    Attributes:
        sigma: The standard deviation in pixels, in (0, 20].
    """

    purifier: ClassVar[bool] = False
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "scipy")
    sigma: float

    def __call__(self, photo: Image) -> Image:
        """Blur in floating point, then round."""
        from scipy.ndimage import gaussian_filter  # 0.1 s, which a listing of names should not wait for

        values = photo.astype(np.float64)
        blurred = gaussian_filter(values, self.sigma, axes=(0, 1), mode="nearest", truncate=4.0)
        return rounded(blurred)

    def __str__(self) -> str:
        return f"gaussian:{written(self.sigma)}"


@dataclass(frozen=True)
class Median:
    """The median of a square window, for each colour by itself. Edge pixels are repeated outside the photo.

    This is the spatial smoothing of Xu, Evans and Qi, "Feature squeezing" (NDSS 2018), section IV-B.

    Attributes:
        side: The side of the window, an odd number of pixels from 1 to 31.
    """

    purifier: ClassVar[bool] = False
    libraries: ClassVar[tuple[str, ...]] = ("pillow",)
    side: int

    def __call__(self, photo: Image) -> Image:
        """Filter each colour."""
        return array(Pillow.fromarray(photo).filter(ImageFilter.MedianFilter(self.side)))

    def __str__(self) -> str:
        return f"median:{self.side}"


@dataclass(frozen=True)
class Bits:
    """Fewer bits a colour: the nearest of 2^N evenly spaced levels from 0 to 255.

    This is the bit-depth reduction of Xu, Evans and Qi, "Feature squeezing" (NDSS 2018), section IV-A.

    Attributes:
        bits: N, 1 to 8; 8 changes nothing.
    """

    purifier: ClassVar[bool] = False
    libraries: ClassVar[tuple[str, ...]] = ()
    bits: int

    def __call__(self, photo: Image) -> Image:
        """Quantise every value."""
        top = 2**self.bits - 1
        table = rounded(np.rint(np.arange(256) * top / 255) * 255 / top)
        return table[photo]

    def __str__(self) -> str:
        return f"bits:{self.bits}"


def array(picture: Pillow.Image) -> Image:
    """A copy of the pixels. torch needs memory that it may write to."""
    return np.array(picture)


def scaled(photo: Image, width: int, height: int, name: str) -> Image:
    """The photo at another size, by one of `FILTERS`."""
    return array(Pillow.fromarray(photo).resize((width, height), FILTERS[name]))


def smaller(width: int, height: int, factor: float) -> tuple[int, int]:
    """Both sides times a factor, in whole pixels, at least one."""
    return max(1, round(width * factor)), max(1, round(height * factor))


def rounded(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Image:
    """The nearest 8-bit values."""
    return np.rint(np.clip(values, 0, 255)).astype(np.uint8)
