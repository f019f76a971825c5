"""The nouns of the benchmark: frozen records that every room of the house may import.

This module computes nothing, and it does not import torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from bench.budgets import BUDGETS as BUDGETS
from bench.budgets import Budget as Budget
from bench.budgets import BudgetKind as BudgetKind

Image: TypeAlias = npt.NDArray[np.uint8]
"""A photo: uint8 [height, width, 3], RGB. A photo carries no identity."""

Embeddings: TypeAlias = npt.NDArray[np.float32]
"""float32 [photo, dimension]; every row has unit length."""

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]

Box: TypeAlias = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels of the upright photo."""

Labels: TypeAlias = npt.NDArray[np.int64]
"""int64 [photo], the cluster of each photo; -1 means noise."""


@dataclass(frozen=True, slots=True)
class Face:
    """One face that a detector found in a photo. Coordinates are in pixels of that photo.

    Attributes:
        box: x0, y0, x1, y1.
        landmarks: (x, y) of the left eye, the right eye, the nose, the left and the right corner of the
            mouth, as seen in the image. The left eye of an upright face has the smaller x.
        score: The detector's confidence, in [0, 1].
        found: The number of faces that the detector found in the photo; this face is the one it chose.
    """

    box: tuple[float, float, float, float]
    landmarks: tuple[tuple[float, float], ...]
    score: float
    found: int = 1


class Outcome(StrEnum):
    """The outcome of one released photo. Nothing is dropped: every photo has exactly one outcome."""

    OK = "ok"
    UNREADABLE = "unreadable"
    NOT_DETECTED = "not_detected"
    MISALIGNED = "misaligned"
    CLOAK_FAILED = "cloak_failed"
    OUT_OF_BUDGET = "out_of_budget"


class FlagCode(StrEnum):
    """Which kind of doubt a flag casts. Programs compare codes and never read reasons."""

    WEAK_ATTACKER = "weak_attacker"
    WEAK_ENCODER = "weak_encoder"
    OUT_OF_BUDGET = "out_of_budget"
    ORACLE = "oracle"
    SMALL_BACKGROUND = "small_background"
    UNSEEN_STATE = "unseen_state"
    NARROW_PANEL = "narrow_panel"
    NO_CHOICE = "no_choice"
    SHARED_TRAINING = "shared_training"
    FOREIGN_ENCODER = "foreign_encoder"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Flag:
    """Why a number has to be read with care.

    Attributes:
        code: The kind of doubt. A weak attacker finds too few people on clean photos, a weak encoder does not
            tell people apart, and an oracle knows what no attacker can know. A small background has too few
            photos of other people. Unseen state is read by a function, and is in no digest. A narrow panel
            has too few attackers. No choice is where attackers were not tried on cloaks of their own. Shared
            training is of people whom thresholds are tuned on, too. A foreign encoder is not of the family
            that an attacker's thresholds belong to. `other` is the flag of an old record that has no kind
            today.
        reason: One line for people, with the limits and figures that the flag rests on.
    """

    # pydantic reads this: a record refuses fields that its schema does not name
    __pydantic_config__: ClassVar[Mapping[str, str]] = {"extra": "forbid"}

    code: FlagCode
    reason: str

    def __str__(self) -> str:
        """Both in one line, such as `oracle: told the true number of people`."""
        if self.code is FlagCode.OTHER:
            return self.reason
        return f"{self.code.replace('_', ' ')}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Score:
    """One metric with its direction and its uncertainty.

    Attributes:
        name: The metric's name, as in the record.
        value: The value; NaN where the metric is not defined for the cell.
        low: The lower end of the 95 % interval; NaN where there is no interval.
        high: The upper end of the 95 % interval; NaN where there is no interval.
        n: The number of units that the value is a mean over: users, unless the metric says otherwise.
        better: The direction that is better *for the defense*.
        bounds: The lowest and the highest value that would be possible if every photo whose outcome is not
            `ok` had gone otherwise; None where all photos are `ok`, or where no bounds are computed.
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
    """The way in which an encoder wants the face cut out of a photo.

    `similarity` maps the five landmarks onto `template` by a rotation, one scale and a shift (least squares).
    `box` scales the detector's box onto the square; the box is first grown by `margin` output pixels in all.

    Attributes:
        size: The side of the square crop in pixels.
        kind: `similarity` or `box`.
        template: Five (x, y) targets in crop pixels, for `similarity`.
        margin: The growth of the box in output pixels, for `box`.
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
    """The steps from a crop, RGB in [0, 1], to the input of a network.

    Each channel becomes (255 x - mean) / std. The defaults do nothing: the network takes RGB in [0, 1].

    Attributes:
        colour: The order of the network's channels.
        mean: The mean in 8-bit values, in the network's order of channels.
        std: The standard deviation in 8-bit values, in the network's order of channels.
        layout: `nchw`, or `nhwc` with the channels last.
    """

    colour: Literal["rgb", "bgr"] = "rgb"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (255.0, 255.0, 255.0)
    layout: Literal["nchw", "nhwc"] = "nchw"


@dataclass(frozen=True, slots=True)
class EncoderCard:
    """Everything that is stated about an encoder, written down once.

    Attributes:
        name: The name on the command line.
        architecture: The family and the variant. Equal strings mean the same architecture.
        training_set: The data that it was trained on; empty where its source does not say.
        crop: The crop that it takes.
        dimensions: The length of the embedding.
        parameters: The number of weights.
        released: The year or the ISO date of its release; empty when unknown.
        licence: The licence of the weights.
        source: The place where the weights come from.
        sha256: The digest of the weights' file.
        measured: The project's own measurements: name -> value.
        preprocessing: The steps from the crop to the network's input.
        detector: What the product that the encoder is from finds faces with, one of `bench list detectors`.
        location: What leads to the encoder: `family:NAME` for one of the project's own, `onnx:PATH` or
            `torchscript:PATH` for a user's file, `plugin:ENTRY-POINT` for another package's; empty for a
            network that an attacker trained. It is in no record and no digest.
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
    detector: str = "mtcnn"
    location: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DatasetCard:
    """Everything that is stated about a data set.

    Attributes:
        name: The name on the command line.
        revision: The digest of the manifest (files and their digests), or of the renderer.
        licence: The licence of the photos.
        citation: The way to cite the data set.
        default_users: The number of protected users when none is asked for; None means as many as the data
            set allows, up to 200.
        default_background: The number of background people when none is asked for; None means everybody left.
        identities: The number of people.
        photos: The number of photos of them.
        resolved: The parameters that were left to the data set, and the values they took.
        unsorted: Whether nobody has looked through the photos, as in a folder of one's own. Then copies of a
            photo are searched for, and count once.
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
    unsorted: bool = False


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The photos of a data set and the person on each. Identity is written down here and nowhere else.

    Attributes:
        photos: The names of the photos, unique within the data set, sorted.
        identities: `identities[i]` is the person on `photos[i]`.
        left_out: Photo name -> the reason why the photo is not used, such as a wrong label.
        boxes: Photo name -> x0, y0, x1, y1 of the person's face in pixels of the upright photo, where the
            data set states it. Of several faces in a photo, the box tells the person's own.
        protected: The people who are to be the protected users, and play no other part; empty where a split
            may draw them among all.
    """

    photos: tuple[str, ...]
    identities: tuple[str, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    boxes: Mapping[str, tuple[float, float, float, float]] = field(default_factory=dict)
    protected: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders of data and weights. They are searched in order; nothing is downloaded into them unasked.

    Attributes:
        home: The folder `BENCH_HOME`.
        real_data: The folder `BENCH_REAL_DATA`, or None.
    """

    home: str
    real_data: str | None = None


@dataclass(frozen=True, slots=True)
class Album:
    """One user's own photos, as that user holds them.

    Attributes:
        photos: The clean photos, uint8 [height, width, 3] each.
        faces: The face in each photo, or None. The user may use these clean landmarks; an attacker never sees
            them.
        digests: The content digest of each photo. Anything random about a photo is drawn from its digest.
    """

    photos: tuple[Image, ...]
    faces: tuple[Face | None, ...]
    digests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PluginCard:
    """Everything that a defense or an attacker states about itself.

    Attributes:
        summary: One line for `bench list`.
        source: The paper, the equation or the product that it follows; `control` or `own` where there is
            none.
        surrogates: Whether a defense optimises against surrogates.
        bounded: Whether a defense keeps a budget at all.
        oracle: Whether an attacker is told what no attacker knows, such as the number of people.
        budgets: The kinds of `BUDGETS` that a defense keeps, if it keeps any.
    """

    summary: str
    source: str
    surrogates: bool = False
    bounded: bool = True
    oracle: bool = False
    budgets: tuple[str, ...] = ("linf",)

    @property
    def keeps(self) -> tuple[str, ...]:
        """The kinds of budgets that a defense keeps; empty for one that keeps none."""
        return self.budgets if self.bounded else ()


@dataclass(frozen=True, slots=True)
class Gallery:
    """Clean, labelled photos that an identification attacker holds.

    Attributes:
        embeddings: float32 [photo, dimension], unit rows.
        people: int64 [photo], the person on each photo. Users and distractors share one numbering.
    """

    embeddings: Embeddings
    people: Labels
