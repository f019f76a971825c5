"""The arguments of `bench.run` as type checkers see them; `python .ci/pages.py` writes this."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from bench.plan.chosen import UserFunction


class RunOptions(TypedDict, total=False):
    """See `bench.run`."""

    defense: str | UserFunction | Sequence[str | UserFunction]
    attacker: str | Sequence[str]
    dataset: str
    scenario: str
    encoder: str | Sequence[str]
    detector: str | Sequence[str]
    surrogate: str | Sequence[str]
    budget: str | Sequence[str]
    channel: str | Sequence[str]
    users: int | None
    photos: int
    labelled: int
    background: int | None
    background_photos: int | None
    calibration: int | None
    dose: float | Sequence[float]
    level: str | Sequence[str]
    adaptation: str | Sequence[str]
    second_step: str | Sequence[str]
    cloak_detector: str
    distractors: int | Sequence[int]
    seed: int
    draws: int
    device: str
    precision: str
    out: str | Path | None
