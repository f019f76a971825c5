"""The record of a cell: versioned, complete, and free of photos, paths, people's names and host names."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from bench import channels
from bench.errors import UserError
from bench.plan.axes import AXES
from bench.plan.scenarios import PROTOCOL
from bench.records.parsing import shown
from bench.types import Budget, Flag, Score

SCHEMA_VERSION = 2
CLEAN_TOO = ("cfr", "cfr_link", "psr1", "protection_rate")
"""Main rates of a record. Each has a twin that ends in `_clean`: the same attack on the clean photos."""


MOST = 10**12
"""No count of a record is larger: of photos, people, clusters or seconds."""

SLACK = 1e-9
"""How far a rate may lie outside of its range: sums of floats are not exact."""

Real = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=0, le=MOST)]
Share = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]
Amount = Annotated[float, Field(strict=True, ge=0, le=MOST)]


def finite(value: float) -> float | None:
    """A number as a record holds it: null where it is not finite."""
    return value if math.isfinite(value) else None


class Model(BaseModel):
    """A part of a record: it does not change, and it has no field that its schema does not name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Named(Model):
    """Something chosen by name, with every parameter it resolved to and, where it has one, its digest."""

    name: str
    parameters: dict[str, Any] = {}
    digest: str | None = None


class Author(Model):
    """Whose something is, in their own words."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    url: Annotated[str, Field(max_length=500)] = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.url})" if self.url else self.name


COUNTED = frozenset({"clusters"})
"""Metrics that are no rates."""


class Metric(Model):
    """One figure. `value` is null where it is not defined, `low` and `high` where no interval is."""

    value: Real | None
    low: Real | None
    high: Real | None
    n: Count
    better: Literal["lower", "higher", "none"]
    bounds: tuple[Real, Real] | None = Field(
        default=None,
        description="lowest and highest value that it could have, had photos with another outcome than `ok` "
        "gone otherwise; null when every photo is ok, and for metrics without bounds",
    )

    @classmethod
    def of(cls, score: Score) -> Metric:
        """A score as a record holds it."""
        return cls(
            value=finite(score.value),
            low=finite(score.low),
            high=finite(score.high),
            n=score.n,
            better=score.better,
            bounds=score.bounds,
        )

    def doubt(self, name: str) -> str:
        """What is impossible about the figure under the name of a metric; empty where nothing is.

        Args:
            name: The metric's name; all but those of `COUNTED` are rates.
        """
        most = MOST if name in COUNTED else 1.0
        ends = (self.low, self.value, self.high)
        for number in (*ends, *(self.bounds or ())):
            if number is not None and not -SLACK <= number <= most + SLACK:
                kind = "a count" if name in COUNTED else "a rate"
                return f"{name} has {number:g}, and {kind} lies between 0 and {most:g}"
        for low, high in (ends[:2], ends[1:], ends[::2], self.bounds or (None, None)):
            if low is not None and high is not None and low > high + SLACK:
                return f"{name} has an interval that begins at {low:g} and ends at {high:g}"
        return ""


def _impossible(doubt: str) -> PydanticCustomError:
    return PydanticCustomError("impossible", "{doubt}", {"doubt": doubt})


def _possible(metrics: dict[str, Metric]) -> dict[str, Metric]:
    for name, metric in metrics.items():
        doubt = metric.doubt(name)
        if doubt:
            raise _impossible(doubt)
    return metrics


Metrics = Annotated[dict[str, Metric], AfterValidator(_possible)]
"""Metrics by name, each with a value that a metric of its name can have."""


def _read_by(read: Callable[[str], object]) -> AfterValidator:
    """A check that a text is one that the program's own reader of such texts takes."""

    def checked(text: str) -> str:
        try:
            read(text)
        except UserError as error:
            raise _impossible(f"{shown(text)}: {str(error)[:200]}") from None
        return text

    return AfterValidator(checked)


def _sized(scenario: Named) -> Named:
    """A scenario whose parts have as many people and photos as there can be."""
    for part, size in scenario.parameters.items():
        if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= MOST:
            raise _impossible(f"{part} is {shown(size)}, and a count lies between 0 and {MOST}")
    return scenario


def _of_their_kinds(options: dict[str, Any]) -> dict[str, Any]:
    """Options with values that the command would take; those that this program does not know stay."""
    rows = {row.name: row for row in AXES.values()}
    for name, value in options.items():
        if name in rows:
            try:
                rows[name].kind.read(value)
            except ValueError:
                raise _impossible(f"{name} is {shown(value)}, and it takes {rows[name].kind.words}") from None
    return options


_LIMITS: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(("linf", "rmse"), (0, 255)),
    **dict.fromkeys(("ssim", "ms_ssim"), (-1, 1)),
    "dssim": (0, 1),
    "lpips": (0, MOST),
}
"""Perceptual measure -> its range."""

Measures = dict[str, dict[str, Real | None]]


def _measurable(perceptual: dict[str, Measures]) -> dict[str, Measures]:
    for region, measures in perceptual.items():
        for name, ends in measures.items():
            low, high = _LIMITS.get(name, (-MOST, MOST))
            for end, value in ends.items():
                if value is not None and not low - SLACK <= value <= high + SLACK:
                    raise _impossible(f"{region}.{name}.{end} is {value:g}, beyond {low:g} to {high:g}")
    return perceptual


class Robustness(Model):
    """What adversarial training did to an encoder: shares of photos of held-out people that it names rightly.

    The people are calibration people whom it was not trained on. Perturbations are those of the training,
    made against the network that is asked.
    """

    people: Count
    photos: Count
    clean_before: Share = Field(description="clean photos, before the training")
    perturbed_before: Share = Field(description="perturbed photos, before the training")
    clean: Share = Field(description="clean photos, after it")
    perturbed: Share = Field(description="perturbed photos, after it")


class Curve(Model):
    """How long a training paid: what was seen on cloaks of people who were held out of it."""

    steps: list[Count] = Field(description="the steps that had been taken at each look, the first before any")
    score: list[Share] = Field(
        description="how often two cloaked photos of one person were more alike than two of different people"
    )
    kept: Count = Field(description="the steps after which the weights were kept")


class Cost(Model):
    """What this cell took. Not part of what has to be equal between two runs."""

    seconds: dict[str, Amount] = Field(default={}, description="by stage, while this cell was computed")
    photos_per_second: Amount | None = Field(default=None, description="of cloaking; null when re-used")
    peak_memory_mib: Amount | None = None
    device: str = ""
    providers: dict[str, str] = Field(default={}, description="encoder -> runtime actually used")
    cache_hits: dict[str, Count] = {}
    reused: bool = Field(default=False, strict=True, description="the whole cell came from the cache")
    attempts: int = Field(default=1, ge=1, strict=True, description="at which try it was computed")


class CellRecord(Model):
    """One cell: a defense, met by one attacker, under one threat model."""

    schema_version: int = SCHEMA_VERSION
    cell: str = Field(description="digest of everything that decides the result")
    status: Literal["ok", "failed", "skipped"]
    error: str | None = None
    protocol: str = PROTOCOL
    dataset: Named
    scenario: Annotated[Named, AfterValidator(_sized)]
    dose: Real = Field(default=1.0, gt=0, le=1, description="share of each user's photos that are cloaked")
    defense: Named
    surrogate: list[Named]
    budget: Annotated[str, _read_by(Budget.parse)]
    channel: Annotated[str, _read_by(channels.parse)]
    encoder: Named
    members: list[Named] = Field(default=[], description="the encoders that an ensemble puts together")
    adaptation: Named = Field(
        default=Named(name="none"), description="what the attacker made of the encoder, knowing the defense"
    )
    attacker: Named
    level: str = Field(default="oblivious", description="what the attacker's thresholds were tuned on")
    detector: Named = Field(description="what the attacker found faces with")
    publisher_detector: Named | None = Field(
        default=None,
        description="what found the faces that a defense is given; in records that are older than the field, "
        "what `detector` says",
    )
    knowledge: Literal["white-box", "grey-box", "black-box", "none"]
    seed: Count
    distractors: Count = Field(
        default=0,
        description="simulated strangers among the background, each with as few photos as a cluster needs",
    )
    draw: Count = Field(default=0, description="which draw of calibration people and background")
    options: Annotated[dict[str, Any], AfterValidator(_of_their_kinds)] = Field(
        default={}, description="options that have no field of their own, where they are not at their default"
    )
    calibrated: dict[str, Any] = Field(
        default={}, description="the attacker's parameters after calibration on people of no other part"
    )
    tried: list[Real] = Field(
        default=[],
        description="CFR on calibration people of every candidate that the attacker was tuned over, in its "
        "order; empty where nothing was tuned that way. In protocol 1 it is BCubed F, at level oracle the "
        "rate on the users",
    )
    tried_crowd: list[Real] = Field(
        default=[], description="BCubed F over the crowd of the same candidates; empty in protocol 1"
    )
    own_cloaks: Metrics = Field(
        default={},
        description="what the attacker, tuned, achieves on calibration people whom it cloaked itself; empty "
        "but at level adaptive",
    )
    metrics: Metrics = {}
    robustness: dict[str, Robustness] = Field(
        default={}, description="encoder -> what `adversarial` did to it; empty for other adaptations"
    )
    training: dict[str, dict[str, Curve]] = Field(
        default={}, description="encoder -> way that trained as long as it paid -> how that went"
    )
    weights: dict[str, Share] = Field(
        default={}, description="encoder -> its share of the cosine in `weighted:a+b`; empty for others"
    )
    controls: dict[str, Metrics] = Field(
        default={}, description="clean, channel, noise, permutation -> the main metrics under that control"
    )
    perceptual: Annotated[dict[str, Measures], AfterValidator(_measurable)] = Field(
        default={}, description="photo and face -> measure -> mean and worst over the released photos"
    )
    unused: dict[str, dict[str, Count]] = Field(
        default={},
        description="part of the split -> reason -> clean photos that cannot be read, or without a "
        "face that was found; empty in records that are older than the field",
    )
    outcomes: dict[str, Count] = {}
    suspected: dict[str, Count] = Field(
        default={},
        description="photos that the attacker looked at -> how many it took for cloaked; empty unless it "
        "purifies or drops these (option `cloak_detector`)",
    )
    by: Author | None = Field(
        default=None,
        description="whose attack it is, where somebody else made it and only its figures are ours",
    )
    flags: list[Flag] = Field(default=[], description="why its numbers have to be read with care")
    cost: Cost = Cost()
    environment: dict[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _with_publisher(cls, given: Any) -> Any:
        """An older record has one detector, which found faces for defense and attacker."""
        if isinstance(given, Mapping) and "detector" in given:
            return {"publisher_detector": given["detector"], **given}
        return given

    def comparable(self) -> dict[str, Any]:
        """The record without timings and environment: what two runs of one command have in common."""
        return self.model_dump(mode="json", exclude={"cost", "environment"})
