"""Each photo has exactly one outcome: the first that applies, from what went wrong earliest."""

from __future__ import annotations

import math
from typing import Any

import pytest

from bench.release.outcomes import outcomes
from bench.types import Budget, Face, Outcome

POINTS = ((1.0, 1.0),) * 5
HERE = Face((0, 0, 100, 100), POINTS, 0.99)


def moved(by: float) -> Face:
    return Face((by, 0, 100 + by, 100), POINTS, 0.99)


def outcome(
    budget: str = "linf:8",
    failed: bool = False,
    linf: float | None = 8.0,
    before: Face | None = HERE,
    after: Face | None = HERE,
) -> Outcome:
    cost: dict[str, Any] | None = None if linf is None else {"whole": {"linf": linf}}
    (one,) = outcomes(Budget.parse(budget), [failed], [cost], [before], [after])
    return one


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ({}, "ok"),
        ({"linf": 0.0}, "ok"),
        ({"linf": 9.0}, "out_of_budget"),
        ({"linf": 255.0, "budget": "unbounded"}, "ok"),
        ({"budget": "linf:4.5", "linf": 5.0}, "out_of_budget"),
        ({"failed": True}, "cloak_failed"),
        ({"after": None}, "not_detected"),
        ({"linf": None}, "unreadable"),
        ({"after": moved(90)}, "misaligned"),
        ({"after": moved(20)}, "ok"),
        # no face before: nothing to compare the one found now with
        ({"before": None}, "ok"),
        # several at once: the earliest counts
        ({"linf": None, "failed": True, "after": None}, "unreadable"),
        ({"failed": True, "linf": 9.0}, "cloak_failed"),
        ({"linf": 9.0, "after": None}, "out_of_budget"),
    ],
)
def test_the_earliest_fault_counts(what: dict[str, Any], expected: str) -> None:
    assert outcome(**what) == expected


def at(linf: float = 0.0, **measures: float) -> dict[str, float]:
    """One region's cost."""
    return {"linf": linf, "ssim": 1.0, "dssim": 0.0} | measures


@pytest.mark.parametrize(
    ("budget", "whole", "face", "expected"),
    [
        ("dssim:0.01", at(dssim=0.01), at(dssim=0.01), "ok"),
        # the mean over a large photo hides what the face shows
        ("dssim:0.01", at(dssim=0.001), at(dssim=0.011), "out_of_budget"),
        # and a change beside the face is on the photo alone
        ("dssim:0.01", at(dssim=0.011), at(), "out_of_budget"),
        ("dssim:0.01", at(dssim=0.011), None, "out_of_budget"),
        ("ssim:0.95", at(ssim=0.99), at(ssim=0.95), "ok"),
        ("ssim:0.95", at(ssim=0.99), at(ssim=0.94), "out_of_budget"),
        ("ssim:0.95", at(ssim=0.94), None, "out_of_budget"),
        # many levels may change within a budget of SSIM, and none may count against it
        ("ssim:0.95", at(linf=200, ssim=0.96), at(linf=200, ssim=0.96), "ok"),
        # a face too small for a window says nothing; a photo too small may not change at all
        ("ssim:0.95", at(ssim=0.99), at(ssim=math.nan), "ok"),
        ("ssim:0.95", at(ssim=math.nan, linf=1), None, "out_of_budget"),
        ("dssim:0.01", at(dssim=math.nan), None, "ok"),
        ("unbounded", at(linf=255, ssim=-1, dssim=1), None, "ok"),
    ],
)
def test_a_budget_of_likeness_is_judged_where_it_is_worse(
    budget: str, whole: dict[str, float], face: dict[str, float] | None, expected: str
) -> None:
    (outcome,) = outcomes(Budget.parse(budget), [False], [{"whole": whole, "face": face}], [HERE], [HERE])
    assert outcome == expected


def test_boxes_overlap_by_half_their_union() -> None:
    # shifted by s of 100, the overlap is (100 - s) / (100 + s): one half at s = 33.3
    assert outcome(after=moved(33)) == "ok"
    assert outcome(after=moved(34)) == "misaligned"
