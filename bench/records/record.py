"""The record of a cell: versioned, complete, and free of photos, paths, people's names and host names."""

from __future__ import annotations

import math
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bench.plan.scenarios import PROTOCOL
from bench.types import Flag, Score

SCHEMA_VERSION = 2
CLEAN_TOO = ("cfr", "cfr_link", "psr1", "protection_rate")
"""Main rates of a record. Each has a twin that ends in `_clean`: the same attack on the clean photos."""


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


class Metric(Model):
    """One figure. `value` is null where it is not defined, `low` and `high` where no interval is."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    better: Literal["lower", "higher", "none"]
    bounds: tuple[float, float] | None = Field(
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


class Cost(Model):
    """What this cell took. Not part of what has to be equal between two runs."""

    seconds: dict[str, float] = Field(default={}, description="by stage, while this cell was computed")
    photos_per_second: float | None = Field(default=None, description="of cloaking; null when re-used")
    peak_memory_mib: float | None = None
    device: str = ""
    providers: dict[str, str] = Field(default={}, description="encoder -> runtime actually used")
    cache_hits: dict[str, int] = {}
    reused: bool = Field(default=False, description="the whole cell came from the cache")


class CellRecord(Model):
    """One cell: a defense, met by one attacker, under one threat model."""

    schema_version: int = SCHEMA_VERSION
    cell: str = Field(description="digest of everything that decides the result")
    status: Literal["ok", "failed", "skipped"]
    error: str | None = None
    protocol: str = PROTOCOL
    dataset: Named
    scenario: Named
    dose: float = Field(default=1.0, description="share of each user's photos that are cloaked")
    defense: Named
    surrogate: list[Named]
    budget: str
    channel: str
    encoder: Named
    members: list[Named] = Field(default=[], description="the encoders that an ensemble puts together")
    adaptation: Named = Field(
        default=Named(name="none"), description="what the attacker made of the encoder, knowing the defense"
    )
    attacker: Named
    level: str = Field(default="oblivious", description="what the attacker's thresholds were tuned on")
    detector: Named
    knowledge: Literal["white-box", "grey-box", "black-box", "none"]
    seed: int
    distractors: int = Field(
        default=0,
        description="simulated strangers among the background, each with as few photos as a cluster needs",
    )
    draw: int = Field(default=0, description="which draw of calibration people and background")
    options: dict[str, Any] = Field(
        default={}, description="options that have no field of their own, where they are not at their default"
    )
    calibrated: dict[str, Any] = Field(
        default={}, description="the attacker's parameters after calibration on people of no other part"
    )
    tried: list[float] = Field(
        default=[],
        description="BCubed F on the calibration people of every candidate that the attacker was tuned over, "
        "in its order; empty where nothing was tuned that way",
    )
    metrics: dict[str, Metric] = {}
    controls: dict[str, dict[str, Metric]] = Field(
        default={}, description="clean, channel, noise, permutation -> the main metrics under that control"
    )
    perceptual: dict[str, dict[str, dict[str, float | None]]] = Field(
        default={}, description="photo and face -> measure -> mean and worst over the released photos"
    )
    outcomes: dict[str, int] = {}
    flags: list[Flag] = Field(default=[], description="why its numbers have to be read with care")
    cost: Cost = Cost()
    environment: dict[str, Any] = {}

    def comparable(self) -> dict[str, Any]:
        """The record without timings and environment: what two runs of one command have in common."""
        return self.model_dump(mode="json", exclude={"cost", "environment"})
