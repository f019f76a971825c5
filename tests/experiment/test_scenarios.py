"""Scenarios, doses and draws: who is cloaked, what the attacker holds, and what is counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bench.errors import UserError
from bench.experiment.session import RunResult
from bench.faces.finder import detector_parameters
from bench.plan.leaks import LeakError
from bench.plan.resolve import resolve
from bench.plan.spec import RunSpec
from bench.plan.split import Split
from bench.records.record import CellRecord
from bench.store.folders import folders
from bench.types import Image

One = Callable[..., CellRecord]
Run = Callable[..., RunResult]
PHOTOS = 8  # of the two users


def black(photos: list[Image]) -> list[Image]:
    """No face is left."""
    return [np.zeros_like(photo) for photo in photos]


def untouched(photos: list[Image]) -> list[Image]:
    return photos


def test_evasion_looks_for_cloaked_photos_in_clean_ones(one: One) -> None:
    hidden = one(scenario="evasion", attackers=("knn",), defenses=(black,), budgets=("unbounded",))
    shown = one(scenario="evasion", attackers=("knn",), defenses=(untouched,), budgets=("unbounded",))
    assert (hidden.metrics["psr1"].value, shown.metrics["psr1"].value) == (1.0, 0.0)
    assert shown.metrics["psr1_clean"].value == 0.0
    # the four cells of query x gallery, and the verification rate of cloaked queries in clean galleries
    assert hidden.metrics["rank1_clean_clean"].value == 1.0
    assert hidden.metrics["rank1_cloaked_clean"].value == 0.0
    assert shown.metrics["rank1_cloaked_cloaked"].value == 1.0
    assert (hidden.metrics["psr1_single"].value, shown.metrics["psr1_single"].value) == (1.0, 0.0)
    assert hidden.metrics["tar_far_1e2"] == hidden.metrics["tar_far_1e2_cloaked_clean"]


def test_poisoning_asks_about_clean_photos(one: One) -> None:
    hidden = one(scenario="poisoning", attackers=("knn",), defenses=(black,), budgets=("unbounded",))
    shown = one(scenario="poisoning", attackers=("knn",), defenses=(untouched,), budgets=("unbounded",))
    # without a face in the gallery nobody can be learned, and clean probes name somebody else
    assert (hidden.metrics["protection_rate"].value, shown.metrics["protection_rate"].value) == (1.0, 0.0)
    assert hidden.metrics["protection_rate_clean"].value == 0.0
    assert hidden.metrics["protection_rate"].better == "higher"
    assert "psr1" not in hidden.metrics


def test_a_clusterer_has_no_place_where_people_are_named(run: Run, small: RunSpec) -> None:
    fits, skipped = run(scenario="evasion", attackers=("knn", "dbscan")).records
    assert (fits.status, skipped.status) == ("ok", "skipped")
    assert "introduced" in (skipped.error or "")
    with pytest.raises(UserError, match="--scenario introduced"):
        resolve(replace(small, scenario="poisoning"), folders(), detector_parameters(), "cpu")


def test_a_dose_leaves_photos_as_they_were(run: Run) -> None:
    result = run(defenses=("noise",), doses=(1.0, 0.5, 0.1))
    changed = []
    for record in result.records:
        photos = result.tables[record.cell]["photos"]
        linf = np.array(photos["photo_linf"]).reshape(2, 4)
        changed.append((linf > 0).sum(1).tolist())
        assert record.outcomes == {"ok": PHOTOS}
    # of four photos each: all, two, and never none
    assert changed == [[4, 4], [2, 2], [1, 1]]
    assert [record.dose for record in result.records] == [1.0, 0.5, 0.1]


def test_the_photos_of_a_smaller_dose_are_among_those_of_a_larger(run: Run) -> None:
    result = run(defenses=("noise",), doses=(0.25, 0.75))
    few, many = (
        {p for p, linf in zip(t["photos"]["photo"], t["photos"]["photo_linf"], strict=True) if linf}
        for t in result.tables.values()
    )
    assert few < many


def test_a_draw_changes_the_others_and_keeps_the_users(small: RunSpec) -> None:
    spec = replace(small, dataset="synthetic:people=30,photos-each=6", background=None, draws=3)
    asked = resolve(spec, folders(), detector_parameters(), "cpu")
    first, *others = asked.splits
    assert len(asked.cells) == 3
    for other in others:
        assert (other.released, other.reference) == (first.released, first.reference)
        assert other.background != first.background
        assert other.calibration != first.calibration
        mine = {p for group in (other.released, other.reference) for person in group for p in person}
        assert not mine & {p for group in (other.background, other.calibration) for q in group for p in q}


def test_draws_share_cloaks(run: Run) -> None:
    spec = {"dataset": "synthetic:people=16,photos-each=6", "background": None}
    result = run(**spec, defenses=("noise:kind=uniform",), draws=2, seed=5)
    one, two = result.records
    released = [result.tables[r.cell]["photos"]["released"] for r in (one, two)]
    assert released[0] == released[1]
    assert two.cost.cache_hits.get("cloak", 0) >= 1
    assert (one.draw, two.draw) == (0, 1)


def test_a_planted_leak_is_no_result(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calibration that sees a protected photo must not get as far as a number."""
    from bench.plan.split import split as honest

    def leaking(*arguments: Any) -> Split:
        parts = honest(*arguments)
        stolen = parts.released[0][:2]
        return replace(parts, calibration=(stolen, *parts.calibration[1:]))

    monkeypatch.setattr("bench.plan.resolve.split", leaking)
    with pytest.raises(LeakError, match="2 photos play two parts"):
        run()


@pytest.mark.parametrize(("dose", "says"), [(0.0, "above 0"), (1.5, "at most 1")])
def test_a_dose_out_of_range_is_refused(small: RunSpec, dose: float, says: str) -> None:
    with pytest.raises(UserError, match=says):
        resolve(replace(small, doses=(dose,)), folders(), detector_parameters(), "cpu")
