"""The score of a row: the strongest attacker, and what happens when one is missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bench.uncertainty.intervals import rate_interval, wilson
from bench.uncertainty.panel import Panel, cfr_panel, psr_panel

NAMES = ["dbscan", "hdbscan", "louvain"]


def seen(panel: Panel) -> float:
    """The largest harm, with the luck of having been picked."""
    harm = panel.worst.value if panel.worst.better == "lower" else 1 - panel.worst.value
    return round(harm + panel.bias, 12)


def cells() -> dict[str, np.ndarray]:
    # two draws of four users: 1/8, 4/8, 2/8
    return {
        "dbscan": np.array([[1, 0, 0, 0], [0, 0, 0, 0]], bool),
        "hdbscan": np.array([[1, 1, 0, 0], [1, 1, 0, 0]], bool),
        "louvain": np.array([[0, 0, 1, 0], [0, 0, 1, 0]], bool),
    }


def test_the_largest_rate_counts_and_any_is_the_union() -> None:
    panel = cfr_panel(cells(), NAMES)
    assert (panel.worst.name, seen(panel), panel.strongest) == ("cfr_max", 0.5, "hdbscan")
    # users 0, 1 and 2 are clustered by somebody in both draws
    assert panel.any is not None
    assert (panel.any.name, panel.any.value, panel.any.n) == ("cfr_any", 0.75, 4)
    assert {name: score.value for name, score in panel.by_attacker.items()} == {
        "dbscan": 0.125,
        "hdbscan": 0.5,
        "louvain": 0.25,
    }
    assert (panel.ranked, panel.missing, panel.draws) == (True, (), 2)
    assert panel.worst.better == panel.any.better == "lower"


def test_the_interval_holds_the_value_and_every_attackers_upper_end() -> None:
    panel = cfr_panel(cells(), NAMES)
    assert panel.worst.low <= 0.5 <= panel.worst.high
    assert panel.worst.high >= max(score.high for score in panel.by_attacker.values())
    for name, score in panel.by_attacker.items():
        assert (score.low, score.high) == rate_interval(cells()[name])


@pytest.mark.parametrize("gap", ["none", "absent", "nan"])
def test_a_missing_attacker_is_said_and_bounds_the_rate_from_below_only(gap: str) -> None:
    given: dict[str, Any] = cells()
    if gap == "none":
        given["hdbscan"] = None
    elif gap == "absent":
        del given["hdbscan"]
    else:  # one draw failed
        given["hdbscan"] = np.array([[1, 1, 0, 0], [np.nan] * 4])
    panel = cfr_panel(given, NAMES)
    assert (panel.missing, panel.ranked) == (("hdbscan",), False)
    # what is left says .25 at least; the missing one may have clustered everybody
    assert (seen(panel), panel.worst.high) == (0.25, 1.0)
    assert panel.any is not None and panel.any.high == 1.0
    assert "hdbscan" not in panel.by_attacker


def test_no_user_clustered_is_no_proof_of_zero() -> None:
    nobody = {name: np.zeros((5, 100), bool) for name in NAMES}
    panel = cfr_panel(nobody, NAMES)
    assert (panel.worst.value, panel.worst.low, panel.bias) == (0.0, 0.0, 0.0)
    assert panel.worst.high == wilson(0, 100).high
    everybody = {name: np.ones((5, 100), bool) for name in NAMES}
    assert cfr_panel(everybody, NAMES).worst.low == wilson(100, 100).low


def test_what_luck_gave_to_the_largest_of_equals_is_taken_off() -> None:
    rng = np.random.Generator(np.random.Philox(4))
    equal = {f"a{i}": rng.random((5, 80)) < 0.2 for i in range(30)}
    panel = cfr_panel(equal, list(equal))
    assert panel.bias > 0.02
    assert abs(panel.worst.value - 0.2) < abs(panel.worst.value + panel.bias - 0.2)
    assert panel.worst.low < 0.2 < panel.worst.high


def test_nothing_is_taken_off_where_one_attacker_is_clearly_the_strongest() -> None:
    rng = np.random.Generator(np.random.Philox(4))
    given = {f"a{i}": rng.random((1, 100)) < rate for i, rate in enumerate([0.8] + [0.1] * 40)}
    panel = cfr_panel(given, list(given))
    assert panel.bias == 0
    assert panel.worst.value == given["a0"].mean()
    assert cfr_panel({"a0": given["a0"]}, ["a0"]).bias == 0


def test_who_was_not_there_is_not_missing() -> None:
    present = np.array([[True, True, True, False], [True, True, False, True]])
    given = {name: np.where(present, cell, np.nan) for name, cell in cells().items()}
    panel = cfr_panel(given, NAMES, present=present)
    assert panel.ranked
    assert seen(panel) == pytest.approx(4 / 6)


def test_identification_is_the_other_way_round() -> None:
    protected = {"knn": np.array([[1.0, 0.9, 0.5]]), "svm": np.array([[0.6, 0.2, 0.1]])}
    panel = psr_panel(protected, ["knn", "svm"])
    assert (panel.worst.name, panel.worst.better, panel.strongest, panel.any) == (
        "psr1_min",
        "higher",
        "svm",
        None,
    )
    assert seen(panel) == 0.7
    assert panel.worst.low <= 0.3 <= panel.worst.high
    assert panel.by_attacker["knn"].value == pytest.approx(0.8)
    assert psr_panel({"knn": protected["knn"]}, ["knn", "svm"]).worst.low == 0.0


@pytest.mark.parametrize(
    ("given", "names", "line"),
    [
        ({}, [], "a panel needs attackers"),
        ({}, ["a", "a"], "each once"),
        ({"b": np.zeros((1, 2))}, ["a"], "b is not in the panel a"),
        ({"a": None}, ["a"], "no attacker of a has a complete result"),
        ({"a": np.zeros((1, 2)), "b": np.zeros((1, 3))}, ["a", "b"], r"a \(1, 2\), b \(1, 3\)"),
        ({"a": np.full((1, 2), 0.5)}, ["a"], "must be 0 or 1"),
    ],
)
def test_bad_panels_are_refused(given: Any, names: list[str], line: str) -> None:
    with pytest.raises(ValueError, match=line):
        cfr_panel(given, names)


def test_bad_shares_and_masks_are_refused() -> None:
    with pytest.raises(ValueError, match="must lie in"):
        psr_panel({"a": np.array([[1.5, 0.0]])}, ["a"])
    with pytest.raises(ValueError, match="present must be"):
        cfr_panel({"a": np.zeros((1, 2))}, ["a"], present=np.ones((2, 1), bool))
