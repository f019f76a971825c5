"""By which figures a defense is gated: each attack, all together, and the one that the attacker chose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.gate.verdict import Verdict, gate
from bench.records.record import Metric, Named

Plant = Callable[..., Path]


def cell(attacker: str, found: range, own: float | None = None) -> dict[str, Any]:
    """A cell in which these of 60 users are found; `own` is what it achieves on the attacker's own cloaks."""
    told: dict[str, Any] = {"attacker": Named(name=attacker), "found": [i in found for i in range(60)]}
    if own is not None:
        told |= {
            "level": "adaptive",
            "own_cloaks": {"cfr": Metric(value=own, low=0, high=1, n=20, better="lower")},
        }
    return told


def judged(before: Path, after: Path) -> Verdict:
    return gate(after, before, 0.1)


def readings(verdict: Verdict) -> dict[tuple[str, str], str]:
    return {(row.by, row.attack): row.state for row in verdict.rows}


def test_the_largest_rate_may_stay_while_an_attack_below_it_finds_more(plant: Plant) -> None:
    # CFR-max is .5 before and after: a gate that read it alone would pass
    before = plant("before", cell("dbscan", range(30)), cell("leiden", range(30, 32)))
    after = plant("after", cell("dbscan", range(30)), cell("leiden", range(30, 60)))
    verdict = judged(before, after)
    assert readings(verdict) == {
        ("attack", "dbscan / net"): "passed",
        ("attack", "leiden / net"): "weaker",
        ("any", ""): "weaker",
    }
    assert verdict.verdict == "weaker"


def test_a_rise_of_the_largest_rate_is_a_rise_of_the_attack_that_reaches_it(plant: Plant) -> None:
    # CFR-max rises from .5 to .75, and the attacks of both sides are among the comparisons
    before = plant("before", cell("dbscan", range(30)), cell("leiden", range(10)))
    after = plant("after", cell("dbscan", range(30)), cell("leiden", range(45)))
    verdict = judged(before, after)
    assert "max" not in {row.by for row in verdict.rows}
    assert readings(verdict)["attack", "leiden / net"] == "weaker"


def test_the_attack_that_the_attacker_chose_is_compared_with_its_choice_of_today(plant: Plant) -> None:
    # dbscan was chosen and finds 10 users; now leiden is chosen, and finds 40
    before = plant("before", cell("dbscan", range(10), own=0.9), cell("leiden", range(40), own=0.5))
    after = plant("after", cell("dbscan", range(10), own=0.5), cell("leiden", range(40), own=0.9))
    verdict = judged(before, after)
    chosen = [row for row in verdict.rows if row.by == "chosen"]
    assert [(row.state, row.newly_found, row.no_longer_found) for row in chosen] == [("weaker", 30, 0)]
    assert "the chosen attack (dbscan / net / adaptive; leiden / net / adaptive) finds 30 users more" in (
        verdict.headline
    )
    assert {row.state for row in verdict.rows if row.by == "attack"} == {"passed"}
