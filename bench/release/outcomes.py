"""What became of every released photo. Nothing is dropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.recognition.observer import Observed
from bench.types import Budget, Face, Outcome

SAME_FACE = 0.5
"""Intersection over union of the boxes found in the clean and in the released photo, below which the detector
chose another face: `misaligned`. The attacker does not know; the photo is embedded all the same."""


def outcomes(
    budget: Budget,
    failed: Sequence[bool],
    costs: Sequence[dict[str, Any] | None],
    before: Observed,
    after: Observed,
) -> list[Outcome]:
    """One outcome a photo: the first that applies, from what went wrong earliest.

    Args:
        budget: that the photos are judged by.
        failed: whether the defense gave nothing.
        costs: perceptual cost of each photo; None where it could not be read.
        before: the clean photos.
        after: the released ones, as the attacker saw them.
    """
    return [
        _outcome(budget, fail, cost, before.faces[i], after.faces[i])
        for i, (fail, cost) in enumerate(zip(failed, costs, strict=True))
    ]


def _outcome(
    budget: Budget, failed: bool, cost: dict[str, Any] | None, before: Face | None, after: Face | None
) -> Outcome:
    if cost is None:
        return Outcome.UNREADABLE
    if failed:
        return Outcome.CLOAK_FAILED
    if budget.kind == "linf" and cost["whole"]["linf"] > budget.value:
        return Outcome.OUT_OF_BUDGET
    if after is None:
        return Outcome.NOT_DETECTED
    if before is not None and _overlap(before.box, after.box) < SAME_FACE:
        return Outcome.MISALIGNED
    return Outcome.OK


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    both = max(width, 0.0) * max(height, 0.0)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)
