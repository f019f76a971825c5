"""What became of every released photo. Nothing is dropped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from bench.types import Budget, Face, Flag, FlagCode, Outcome

SAME_FACE = 0.5
"""The intersection over union of a face's boxes in the clean and in the released photo, below which the
detector chose another face: `misaligned`. The attacker does not know, and embeds the photo all the same."""


def outcomes(
    budget: Budget,
    failed: Sequence[bool],
    costs: Sequence[dict[str, Any] | None],
    before: Sequence[Face | None],
    after: Sequence[Face | None],
) -> list[Outcome]:
    """One outcome a photo: the first that applies, from what went wrong earliest.

    Args:
        budget: The budget that the photos are judged by.
        failed: For each photo, whether the defense gave nothing.
        costs: The perceptual cost of each photo; None where the photo could not be read.
        before: The faces in the clean photos.
        after: The faces in the released photos, as the attacker found them.
    """
    return [
        _outcome(budget, fail, cost, before[i], after[i])
        for i, (fail, cost) in enumerate(zip(failed, costs, strict=True))
    ]


def budget_flags(budget: Budget, outcomes: Sequence[Outcome]) -> list[Flag]:
    """The flag of a cell in which a photo broke its budget; none where every photo kept it.

    Args:
        budget: The budget that the photos are judged by.
        outcomes: The outcome of each released photo.
    """
    over = sum(outcome is Outcome.OUT_OF_BUDGET for outcome in outcomes)
    if not over:
        return []
    return [Flag(FlagCode.OUT_OF_BUDGET, f"{over} of {len(outcomes)} photos break the budget {budget}")]


def _outcome(
    budget: Budget, failed: bool, cost: dict[str, Any] | None, before: Face | None, after: Face | None
) -> Outcome:
    if cost is None:
        return Outcome.UNREADABLE
    if failed:
        return Outcome.CLOAK_FAILED
    if _over(budget, cost):
        return Outcome.OUT_OF_BUDGET
    if after is None:
        return Outcome.NOT_DETECTED
    if before is not None and _overlap(before.box, after.box) < SAME_FACE:
        return Outcome.MISALIGNED
    return Outcome.OK


def _over(budget: Budget, cost: dict[str, Any]) -> bool:
    """Whether a photo is farther from its original than its budget allows, on either region.

    The whole photo counts, and so does the box of its face: SSIM is a mean over the photo, in which a small
    face disappears (design/013). A region too small to be measured says nothing; where neither can be
    measured, only an unchanged photo is within budget.
    """
    if budget.kind == "unbounded":
        return False
    if budget.kind == "linf":
        return bool(cost["whole"]["linf"] > budget.value)
    regions = [region for region in (cost["whole"], cost["face"]) if region is not None]
    measured = [region[budget.kind] for region in regions if math.isfinite(region[budget.kind])]
    if not measured:
        return bool(cost["whole"]["linf"] > 0)
    if budget.kind == "ssim":
        return bool(min(measured) < budget.value)
    return bool(max(measured) > budget.value)


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    both = max(width, 0.0) * max(height, 0.0)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)
