"""Every kind of channel: its written form, one line about it, and the parameters that it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.channels.learned import SIZES, LearnedDenoiser
from bench.channels.numbers import real, whole
from bench.channels.platforms import FILTERS, Bits, CropPad, Direct, Gaussian, Jpeg, Median, Resize, Webp
from bench.channels.presets import IMMICH, PHOTOPRISM, Messenger, Screenshot
from bench.channels.protocol import Channel
from bench.channels.purifiers import NonLocalMeans, TotalVariation


@dataclass(frozen=True)
class Row:
    """One kind of channel, as `bench list channels` shows it.

    Attributes:
        name: The text before the colon.
        parameter: The text after the colon, in capitals; empty where there is none.
        about: One line about the channel.
        make: Makes the channel from the text after the colon. It raises ValueError where the text is not
            allowed.
        rule: The texts that are allowed.
        example: An allowed text, with the name.
        default: The text after the colon where no colon is given; empty where a colon must be given.
    """

    name: str
    parameter: str
    about: str
    make: Callable[[str], Channel]
    rule: str
    example: str
    default: str = ""

    @property
    def form(self) -> str:
        """The written form, such as `jpeg:QUALITY`."""
        return f"{self.name}:{self.parameter}" if self.parameter else self.name


def _above_zero(value: float) -> float:
    if value <= 0:
        raise ValueError(value)
    return value


def _resize(text: str) -> Resize:
    factor, _, name = text.partition(":")
    if name and name not in FILTERS:
        raise ValueError(name)
    return Resize(_above_zero(real(factor, 0, 1)), name or "bicubic")


def _crop(text: str) -> CropPad:
    share = real(text, 0, 0.5)
    if share == 0.5:
        raise ValueError(text)
    return CropPad(share)


def _median(text: str) -> Median:
    side = whole(text, 1, 31)
    if side % 2 == 0:
        raise ValueError(text)
    return Median(side)


def _denoiser(text: str) -> LearnedDenoiser:
    steps, colon, size = text.partition(":")
    if colon and size not in SIZES:
        raise ValueError(size)
    return LearnedDenoiser(whole(steps, 1, 100_000), size or SIZES[0])


def _plain(channel: Channel) -> Callable[[str], Channel]:
    def make(text: str) -> Channel:
        if text:
            raise ValueError(text)
        return channel

    return make


_ROWS = (
    Row("none", "", "the released file itself", _plain(Direct()), "it takes no parameter", "none"),
    Row(
        "jpeg",
        "QUALITY",
        "re-encoded as JPEG with 4:2:0 chroma, quality 1 to 100",
        lambda text: Jpeg(whole(text, 1, 100)),
        "JPEG quality is a whole number from 1 to 100",
        "jpeg:75",
    ),
    Row(
        "webp",
        "QUALITY",
        "re-encoded as lossy WebP, quality 1 to 100",
        lambda text: Webp(whole(text, 1, 100)),
        "WebP quality is a whole number from 1 to 100",
        "webp:75",
    ),
    Row(
        "resize",
        "FACTOR",
        "both sides times FACTOR and back, bicubic, or FACTOR:FILTER",
        _resize,
        f"the factor is above 0 and at most 1, the filter one of {', '.join(FILTERS)}",
        "resize:0.5",
    ),
    Row(
        "crop-pad",
        "SHARE",
        "SHARE of the width and height at each edge made black",
        _crop,
        "the share cropped at each edge is from 0 to below 0.5",
        "crop-pad:0.1",
    ),
    Row(
        "gaussian",
        "SIGMA",
        "Gaussian blur, SIGMA in pixels, up to 20",
        lambda text: Gaussian(_above_zero(real(text, 0, 20))),
        "sigma is above 0 and at most 20 pixels",
        "gaussian:1",
    ),
    Row(
        "median",
        "SIDE",
        "median of a window, SIDE odd from 1 to 31 pixels",
        _median,
        "the window's side is an odd number from 1 to 31",
        "median:3",
    ),
    Row(
        "bits",
        "N",
        "N bits a colour, 1 to 8",
        lambda text: Bits(whole(text, 1, 8)),
        "the number of bits is from 1 to 8",
        "bits:5",
    ),
    Row(
        "screenshot",
        "",
        "shown at 3/4 of its size and captured",
        _plain(Screenshot()),
        "it takes no parameter",
        "screenshot",
    ),
    Row(
        "messenger",
        "",
        "at most 1600 pixels a side, sharpened, JPEG quality 70",
        _plain(Messenger()),
        "it takes no parameter",
        "messenger",
    ),
    Row(
        "immich-preview",
        "",
        "purifier: Immich's own look, at most 1440 pixels a side, JPEG quality 80",
        _plain(IMMICH),
        "it takes no parameter",
        "immich-preview",
    ),
    Row(
        "photoprism-preview",
        "",
        "purifier: PhotoPrism's own look, at most 720 pixels a side",
        _plain(PHOTOPRISM),
        "it takes no parameter",
        "photoprism-preview",
    ),
    Row(
        "tv",
        "WEIGHT",
        "purifier: total-variation denoising, WEIGHT up to 1",
        lambda text: TotalVariation(_above_zero(real(text, 0, 1))),
        "the weight is above 0 and at most 1",
        "tv:0.1",
    ),
    Row(
        "nlm",
        "STRENGTH",
        "purifier: non-local means, STRENGTH in 8-bit values, up to 100",
        lambda text: NonLocalMeans(_above_zero(real(text, 0, 100))),
        "the strength is above 0 and at most 100",
        "nlm:4",
    ),
    Row(
        "denoiser",
        "STEPS",
        "purifier: a network trained on the attacker's own cloaks, STEPS up to 100000, or STEPS:large",
        _denoiser,
        f"the steps of its training are a whole number from 1 to 100000, its size one of {', '.join(SIZES)}",
        "denoiser:600",
        default="600",
    ),
)
ROWS = {row.name: row for row in _ROWS}
"""Every kind of channel by name."""
