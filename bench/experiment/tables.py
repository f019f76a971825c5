"""Per-user and per-photo tables of a cell, and its perceptual summary.

People appear by a digest of their photos, photos by a digest of their content: enough to pair two runs, and
no name leaves the data set.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from bench.attack.judge import Verdict
from bench.experiment.repetition import Repetition
from bench.recognition.observer import Observed
from bench.release.costs import Costs
from bench.release.release import Release
from bench.store.digests import combine
from bench.types import Outcome

MEASURES = {
    "linf": max,
    "rmse": max,
    "psnr": min,
    "ssim": min,
    "ms_ssim": min,
    "dssim": max,
    "lpips": max,
}
"""Measure -> which end is the worst."""

_IF_MEASURED = ("lpips",)
"""Measures that want weights: where there are none, a record does not name them."""

REGIONS = {"photo": "whole", "face": "face"}


def perceptual_summary(
    costs: Sequence[dict[str, Any] | None],
) -> dict[str, dict[str, dict[str, float | None]]]:
    """Mean and worst of each measure over the released photos, for the whole photo and for the face.

    A measure that no photo has (SSIM of a tiny photo, say) is null.
    """
    out: dict[str, dict[str, dict[str, float | None]]] = {}
    for region, stored in REGIONS.items():
        measured = [cost[stored] for cost in costs if cost is not None and cost[stored] is not None]
        out[region] = {}
        for name, worst in MEASURES.items():
            if name in _IF_MEASURED and all(cost.get(name) is None for cost in measured):
                continue
            values = [
                value for cost in measured if (value := cost[name]) is not None and math.isfinite(value)
            ]
            mean = math.fsum(values) / len(values) if values else None
            out[region][name] = {"mean": mean, "worst": float(worst(values)) if values else None}
    return out


def rows(
    repetition: Repetition,
    release: Release,
    verdict: Verdict,
    became: Sequence[Outcome],
    costs: Costs,
    seen: Observed,
) -> dict[str, dict[str, list[Any]]]:
    """The two tables of a cell, as columns.

    Args:
        repetition: Whose photos were released.
        release: What was published.
        verdict: What the attacker achieved.
        became: The outcome of each released photo.
        costs: The perceptual cost of each released photo.
        seen: The released photos as the attacker saw them.
    """
    data, released = repetition.data, repetition.split.released
    people = [combine([data.digest(photo) for photo in user])[:16] for user in released]
    owners = [person for person, user in zip(people, released, strict=True) for _ in user]
    photos: dict[str, list[Any]] = {
        "user": owners,
        "photo": [data.digest(photo)[:16] for user in released for photo in user],
        "released": [content[:16] for content in release.digests],
        "outcome": [str(outcome) for outcome in became],
        "faces": [face.found if face else 0 for face in seen.faces],
    }
    for region, stored in REGIONS.items():
        for name in MEASURES:
            photos[f"{region}_{name}"] = [
                None if cost is None or cost[stored] is None else _finite(cost[stored].get(name))
                for cost in costs
            ]
    return {"users": {"user": people, **verdict.users}, "photos": {**photos, **verdict.photos}}


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
