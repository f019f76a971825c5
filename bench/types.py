"""The nouns of the benchmark: frozen records that every room of the house may import.

Nothing here computes anything, and nothing here imports torch when it is loaded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from bench.errors import UserError

Image: TypeAlias = npt.NDArray[np.uint8]
"""One photo: RGB, [height, width, 3], 8 bits. There is no identity here."""

Embeddings: TypeAlias = npt.NDArray[np.float32]
"""[photo, dimension], every row of unit length."""

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]

Box: TypeAlias = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels of the upright photo."""

Labels: TypeAlias = npt.NDArray[np.int64]
"""[photo]: a cluster number, or -1 for noise."""


@dataclass(frozen=True, slots=True)
class Face:
    """One face as a detector found it in a photo, in pixels of that photo.

    Attributes:
        box: x0, y0, x1, y1.
        landmarks: (x, y) of left eye, right eye, nose, left and right mouth corner, as seen in
            the image (the left eye is the one with the smaller x on an upright face).
        score: the detector's confidence in [0, 1].
        found: how many faces the detector saw in the photo; this is the one it chose.
    """

    box: tuple[float, float, float, float]
    landmarks: tuple[tuple[float, float], ...]
    score: float
    found: int = 1


class Outcome(StrEnum):
    """What became of one released photo. Nothing is dropped: every photo has one of these."""

    OK = "ok"
    UNREADABLE = "unreadable"
    NOT_DETECTED = "not_detected"
    MISALIGNED = "misaligned"
    CLOAK_FAILED = "cloak_failed"
    OUT_OF_BUDGET = "out_of_budget"


@dataclass(frozen=True, slots=True)
class Budget:
    """How far a released photo may be from its original.

    `linf` is the largest change of any 8-bit value of any pixel, in 1/255; `unbounded` is no limit.
    """

    kind: Literal["linf", "unbounded"]
    value: float = math.inf

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Read `linf:8` or `unbounded`.

        Raises:
            UserError: for any other form, and for a value outside 0 < n <= 255.
        """
        asked = f"budget {text!r}"
        if text == "unbounded":
            return cls("unbounded")
        kind, _, number = text.partition(":")
        if kind != "linf":
            raise UserError(f"{asked} is not one of linf:N (N of 255) or unbounded. Try linf:8.")
        try:
            value = float(number)
        except ValueError:
            raise UserError(f"{asked}: {number!r} is not a number. Try linf:8.") from None
        if not 0 < value <= 255:
            raise UserError(f"{asked}: N must be above 0 and at most 255. Try linf:8.")
        return cls("linf", value)

    def __str__(self) -> str:
        return "unbounded" if self.kind == "unbounded" else f"linf:{self.value:g}"


@dataclass(frozen=True, slots=True)
class Score:
    """One metric with its direction and its uncertainty.

    Attributes:
        name: as on the board.
        value: NaN where the metric is not defined for this cell.
        low: lower end of the 95 % interval; NaN where none is computed.
        high: upper end.
        n: how many units (users, unless the metric says otherwise) the value is a mean over.
        better: which direction is better *for the defense*.
        bounds: lowest and highest value that it could have if every photo whose outcome is not `ok` had
            gone otherwise; None where all are, or where no bounds are computed.
    """

    name: str
    value: float
    low: float
    high: float
    n: int
    better: Literal["lower", "higher", "none"]
    bounds: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Crop:
    """How an encoder wants its face cut out of a photo.

    `similarity` maps the five landmarks onto `template` (rotation, one scale, shift; least squares);
    `box` scales the detector's box, grown by `margin` output pixels in all, onto the square.

    Attributes:
        size: side of the square crop in pixels.
        kind: which of the two.
        template: five (x, y) targets in crop pixels, for `similarity`.
        margin: for `box`.
    """

    size: int
    kind: Literal["similarity", "box"]
    template: tuple[tuple[float, float], ...] = ()
    margin: float = 0.0


ARCFACE_CROP = Crop(
    size=112,
    kind="similarity",
    template=(
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ),
)
"""The five-point template of ArcFace-type encoders (source: insightface's public alignment constants)."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """What is done to the values of a crop, RGB in [0, 1], before a network sees them.

    Each channel becomes (255 x - mean) / std. The defaults do nothing: the network takes RGB in [0, 1].

    Attributes:
        colour: order of the network's channels.
        mean: of 8-bit values, in the network's order of channels.
        std: of 8-bit values, likewise.
        layout: `nchw`, or `nhwc` with the channels last.
    """

    colour: Literal["rgb", "bgr"] = "rgb"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (255.0, 255.0, 255.0)
    layout: Literal["nchw", "nhwc"] = "nchw"


@dataclass(frozen=True, slots=True)
class EncoderCard:
    """What an encoder is, written down once.

    Attributes:
        name: on the command line.
        architecture: family and variant; equal strings mean the same architecture.
        training_set: what it was trained on; empty when its source does not say.
        crop: how it wants its input.
        dimensions: length of the embedding.
        parameters: how many weights.
        released: year or ISO date; empty when unknown.
        licence: of the weights.
        source: where the weights come from.
        sha256: of the weights' file.
        measured: figures of the project's own measurements, name -> value.
        preprocessing: what the network's input is made of.
        location: where an encoder that is not the project's own comes from: `onnx:PATH`, `torchscript:PATH`
            or `plugin:ENTRY-POINT`. In no record and no digest.
    """

    name: str
    architecture: str
    training_set: str
    crop: Crop
    dimensions: int
    parameters: int
    released: str
    licence: str
    source: str
    sha256: str
    measured: Mapping[str, object] = field(default_factory=dict)
    preprocessing: Preprocessing = Preprocessing()
    location: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DatasetCard:
    """What a data set is.

    Attributes:
        name: on the command line.
        revision: digest of the manifest (files and their digests), or of the renderer.
        licence: of the photos.
        citation: how to cite it.
        default_users: protected users when none are asked for; None means as many as it allows up to 200.
        default_background: background identities when none are asked for; None means all there are.
        identities: how many people it has.
        photos: how many photos of them.
        resolved: parameters that were left to the data set, and what they became.
    """

    name: str
    revision: str
    licence: str
    citation: str
    default_users: int | None = None
    default_background: int | None = None
    identities: int | None = None
    photos: int | None = None
    resolved: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Which photos a data set has, and who is on them: the one place where identity is written.

    Attributes:
        photos: names of photos, unique within the data set, sorted.
        identities: `identities[i]` is the person on `photos[i]`.
        left_out: photo name -> why it is not used (known to be mislabelled, say).
        boxes: photo name -> x0, y0, x1, y1 of the person's face in pixels of the upright photo, where the
            data set says so. Of several faces in a photo it tells which one the identity belongs to.
    """

    photos: tuple[str, ...]
    identities: tuple[str, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    boxes: Mapping[str, tuple[float, float, float, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Folders:
    """Where data and weights may lie. Searched in order; nothing is ever downloaded into them unasked.

    Attributes:
        real_data: `BENCH_REAL_DATA`, or None.
        home: `BENCH_HOME`.
    """

    home: str
    real_data: str | None = None


@dataclass(frozen=True, slots=True)
class Album:
    """One user's own photos, as that user holds them.

    Attributes:
        photos: the clean photos.
        faces: the face found in each, or None. The user may use these clean landmarks; an attacker never
            sees them.
        digests: content digest of each photo; the seed of anything random about it.
    """

    photos: tuple[Image, ...]
    faces: tuple[Face | None, ...]
    digests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PluginCard:
    """What a defense or an attacker states about itself.

    Attributes:
        summary: one line for `bench list`.
        source: paper, equation or product that it follows; "control" or "own" where there is none.
        surrogates: for a defense, whether it optimises against surrogates.
        bounded: for a defense, whether it keeps an L-infinity budget.
        oracle: for an attacker, whether it is told what no attacker knows, such as the number of people.
    """

    summary: str
    source: str
    surrogates: bool = False
    bounded: bool = True
    oracle: bool = False


@dataclass(frozen=True, slots=True)
class Gallery:
    """Clean, labelled photos that an identification attacker holds.

    Attributes:
        embeddings: [photo, dimension].
        people: int [photo]; who is on each. Protected users and distractors are numbered alike.
    """

    embeddings: Embeddings
    people: Labels
