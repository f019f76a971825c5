"""The four verdicts on planted records with known differences, and what is no comparison at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bench.errors import UserError
from bench.gate import assert_defense_strength
from bench.gate.verdict import Verdict, gate
from bench.records.record import Named

Plant = Callable[..., Path]
TODAY = date(2027, 1, 15)


def cell(count: int | None, of: int = 60, **changes: Any) -> dict[str, Any]:
    """A cell in which the first `count` users are found."""
    return {"found": None if count is None else [i < count for i in range(of)], **changes}


def by(attacker: str, count: int | None, of: int = 60, **changes: Any) -> dict[str, Any]:
    return cell(count, of, attacker=Named(name=attacker), **changes)


def steps(number: int, count: int, of: int = 60) -> dict[str, Any]:
    return cell(count, of, defense=Named(name="mask", parameters={"steps": number, "margin": 0.1}))


def judged(before: Path, after: Path, max_drop: float = 0.1, *names: str) -> Verdict:
    return gate(after, before, max_drop, names, today=TODAY)


def states(verdict: Verdict) -> list[str]:
    return [row.state for row in verdict.rows]


def test_equal_records_pass_whatever_is_allowed_and_however_few_users_there_are(plant: Plant) -> None:
    for users in (1, 2, 60):
        before, after = (plant(f"{name}{users}", cell(users // 2, users)) for name in ("before", "after"))
        verdict = judged(before, after, 0.0)
        assert (verdict.verdict, verdict.status) == ("passed", 0)


def test_a_rise_beyond_the_noise_and_the_allowance_is_weaker(plant: Plant) -> None:
    verdict = judged(plant("before", steps(20, 10)), plant("after", steps(10, 30)))
    assert (verdict.verdict, verdict.status) == ("weaker", 1)
    (row,) = verdict.rows
    assert (row.newly_found, row.no_longer_found, row.users) == (20, 0, 60)
    assert row.rise.value == pytest.approx(1 / 3)
    # 20 users, all on one side: 2 / 2^20
    assert row.p_holm == pytest.approx(2 / 2**20)
    assert "finds 20 users more and 0 fewer (CFR 0.17 -> 0.50)" in verdict.headline
    assert verdict.headline.endswith("changed: defense mask: steps 20 -> 10")
    assert "\n" not in verdict.headline


def test_a_rise_beyond_the_noise_that_is_allowed_is_not_weaker(plant: Plant) -> None:
    folders = plant("before", steps(20, 10)), plant("after", steps(10, 17))
    assert judged(*folders, 0.1).verdict == "weaker"
    assert judged(*folders, 0.12).verdict == "underpowered"  # the interval of .117 reaches further
    assert judged(*folders, 0.3).verdict == "passed"


def test_a_drop_passes_and_a_rise_within_the_noise_asks_for_users(plant: Plant) -> None:
    assert judged(plant("a", steps(20, 30)), plant("b", steps(10, 2)), 0.0).verdict == "passed"
    verdict = judged(plant("c", steps(20, 10)), plant("d", steps(10, 14)), 0.1)
    assert (verdict.verdict, verdict.status) == ("underpowered", 3)
    (row,) = verdict.rows
    assert row.users_needed is not None and row.users_needed > 60
    assert f"about {row.users_needed} users would" in verdict.headline


def test_no_change_of_users_bounds_a_rise_only_so_far(plant: Plant) -> None:
    # after no change among 20 the upper end is .161; the records differ, so that equality says nothing
    folders = plant("before", steps(20, 10, 20)), plant("after", steps(10, 10, 20))
    assert judged(*folders, 0.17).verdict == "passed"
    verdict = judged(*folders, 0.1)
    assert (verdict.verdict, verdict.rows[0].users_needed) == ("underpowered", 78)


def test_holm_covers_the_comparisons_in_which_anybody_changed(plant: Plant) -> None:
    before = plant("before", *(by(name, 10) for name in ("dbscan", "hdbscan", "leiden")))
    after = plant("after", by("dbscan", 16), by("hdbscan", 10), by("leiden", 10))
    rows = {row.attack: row for row in judged(before, after, 0.05).rows}
    # six users of dbscan, and the same six of `any`: twice 2 / 2^6
    assert rows["dbscan / net"].p_holm == pytest.approx(2 * 2 / 2**6)
    assert rows["hdbscan / net"].p_holm == 1
    assert rows["hdbscan / net"].state == "passed"  # that cell is equal


def test_any_attack_together_can_be_weaker_where_no_single_one_is(plant: Plant) -> None:
    def scattered(shift: int) -> list[dict[str, Any]]:
        return [
            {"attacker": Named(name=name), "found": [i % 12 == (shift * k) % 12 for i in range(60)]}
            for k, name in enumerate("abcdef")
        ]

    verdict = judged(plant("before", *scattered(0)), plant("after", *scattered(1)), 0.1)
    # before, six attacks find the same 5 users; now each finds 5 others
    assert verdict.verdict == "weaker"
    assert [row.by for row in verdict.rows if row.state == "weaker"] == ["any"]


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ({}, {"found": None}, "the new cell failed: the machine is on fire"),
        ({}, {"protocol": "cloakbench/9"}, "of protocol cloakbench/2, and the new cell of cloakbench/9"),
        ({}, {"users": [f"stranger {i}" for i in range(60)]}, "other users: 0 of 60 are in both runs"),
        (
            {},
            {"dataset": Named(name="synthetic", digest="0" * 64)},
            'data set "synthetic" is not what it was',
        ),
        ({}, {"encoder": Named(name="net", digest="0" * 64)}, 'encoder "net" is not what it was'),
        ({}, {"scenario": Named(name="introduced", parameters={"users": 9})}, "other numbers of people"),
        (
            {"publisher_detector": Named(name="mtcnn")},
            {"publisher_detector": Named(name="hog")},
            "faces of mtcnn",
        ),
        ({}, {"seed": 1}, "the new run has no such cell"),
    ],
)
def test_what_is_no_comparison_is_could_not_tell(
    plant: Plant, before: dict[str, Any], after: dict[str, Any], reason: str
) -> None:
    verdict = judged(plant("before", cell(10, **before)), plant("after", cell(10) | after))
    assert (verdict.verdict, verdict.status) == ("could not tell", 2)
    assert reason in verdict.headline


def test_weakness_that_is_certain_outweighs_a_failure_elsewhere(plant: Plant) -> None:
    before = plant("before", by("dbscan", 5), by("hdbscan", 5))
    verdict = judged(before, plant("after", by("dbscan", 50), by("hdbscan", None)))
    assert verdict.verdict == "weaker"
    assert verdict.obstacles == (
        "mask / introduced / linf:8 / hdbscan / net: the new cell failed: the machine is on fire",
    )


def test_a_baseline_that_failed_is_no_claim_and_a_new_cell_is_not_gated(plant: Plant) -> None:
    before = plant("before", by("dbscan", 5), by("hdbscan", None))
    verdict = judged(before, plant("after", by("dbscan", 5), by("hdbscan", 60), by("leiden", 60)))
    assert verdict.verdict == "passed"
    assert verdict.notes == (
        "mask / introduced / linf:8 / hdbscan / net: failed in the baseline already, and is not gated",
        "1 cells of the new run are not in the baseline, and are not gated",
    )
    nothing = judged(plant("none", by("dbscan", None)), plant("some", by("dbscan", 5)))
    assert (nothing.verdict, nothing.rows) == ("could not tell", ())


def test_only_the_defenses_that_are_named_are_gated(plant: Plant) -> None:
    noise: dict[str, Any] = {"defense": Named(name="noise"), "surrogate": []}
    before = plant("before", cell(5), cell(60, **noise))
    after = plant("after", cell(5))
    assert judged(before, after).verdict == "could not tell"
    assert judged(before, after, 0.1, "mask").verdict == "passed"
    with pytest.raises(UserError, match=r"no defense 'mas'\. Did you mean 'mask'"):
        judged(before, after, 0.1, "mas")


def test_protection_that_falls_is_a_rise(plant: Plant) -> None:
    knn: dict[str, Any] = {"attacker": Named(name="knn"), "figure": "psr1", "scenario": Named(name="linked")}
    before, after = ([level + 0.002 * i for i in range(60)] for level in (0.8, 0.3))
    verdict = judged(plant("before", {**knn, "found": before}), plant("after", {**knn, "found": after}))
    assert verdict.verdict == "weaker"
    (row,) = verdict.rows
    assert row.now < row.before
    assert row.rise.value == pytest.approx(0.5)


def test_several_draws_are_judged_together(plant: Plant) -> None:
    before = plant("before", *(cell(10, draw=draw) for draw in range(5)))
    verdict = judged(before, plant("after", *(cell(40, draw=draw) for draw in range(5))))
    (row,) = verdict.rows
    assert (verdict.verdict, row.users, row.draws, row.newly_found) == ("weaker", 60, 5, 150)
    missing = judged(before, plant("less", *(cell(10, draw=draw) for draw in range(4))))
    assert missing.verdict == "could not tell"


def acknowledged(folder: Path, **changes: object) -> None:
    entry = {"defense": "mask", "who": "Ada", "why": "half the steps", "until": date(2027, 1, 31)} | changes
    lines = [
        f"{name} = {value}" if isinstance(value, date | float) else f"{name} = {json.dumps(value)}"
        for name, value in entry.items()
        if value is not None
    ]
    (folder / "acknowledged.toml").write_text("[[acknowledged]]\n" + "\n".join(lines) + "\n", "utf-8")


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "passed"),
        ({"until": TODAY}, "passed"),
        ({"until": date(2027, 1, 14)}, "weaker"),
        ({"attack": "dbscan / net", "by": "attack", "budget": "linf:8", "knowledge": "black-box"}, "passed"),
        ({"attack": "hdbscan / net"}, "weaker"),
        ({"defense": "noise"}, "weaker"),
        ({"most": 0.4}, "passed"),
        ({"most": 0.3}, "weaker"),
    ],
)
def test_an_acknowledgement_counts_until_its_day_for_what_it_names(
    plant: Plant, changes: dict[str, object], verdict: str
) -> None:
    before, after = plant("before", steps(20, 10)), plant("after", steps(10, 30))
    acknowledged(before, **changes)
    found = judged(before, after)
    assert found.verdict == verdict
    told = "".join([*found.notes, *(row.acknowledged for row in found.rows)])
    assert ("Ada: half the steps (until" in told) or "most" in changes
    if verdict == "passed":
        assert states(found) == ["acknowledged"]


def test_a_cell_is_acknowledged_by_the_beginning_of_its_digest(plant: Plant) -> None:
    before, after = plant("before", steps(20, 10)), plant("after", steps(10, 30))
    cells = json.loads((before / "records.json").read_text())["cells"]
    acknowledged(before, cell=cells[0]["cell"][:12])
    assert judged(before, after).verdict == "passed"
    acknowledged(before, cell="0" * 12)
    assert judged(before, after).verdict == "weaker"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"who": None}, "lacks 'who'"),
        ({"why": " "}, "lacks 'why'"),
        ({"until": None}, "needs a last day"),
        ({"until": "2027-01-31"}, "needs a last day"),
        ({"most": 1.5}, "a rise lies between 0 and 1"),
        ({"atack": "x"}, "has 'atack'; there are defense, who, why"),
    ],
)
def test_an_acknowledgement_without_an_answer_is_refused(
    plant: Plant, changes: dict[str, object], said: str
) -> None:
    before = plant("before", cell(5))
    acknowledged(before, **changes)
    with pytest.raises(UserError, match=r"acknowledged\.toml: entry 1") as refused:
        judged(before, plant("after", cell(5)))
    assert said in str(refused.value)


@pytest.mark.parametrize("text", ["[[acknowledged", 'other = "x"', "acknowledged = 3", "acknowledged = [1]"])
def test_a_file_that_is_no_list_of_them_is_refused(plant: Plant, text: str) -> None:
    before = plant("before", cell(5))
    (before / "acknowledged.toml").write_text(text, "utf-8")
    with pytest.raises(UserError, match=r"acknowledged\.toml"):
        judged(before, plant("after", cell(5)))


def test_users_that_do_not_fit_their_records_are_refused(plant: Plant) -> None:
    before, after = plant("before", cell(5)), plant("after", cell(30))
    table = pd.read_parquet(after / "users.parquet")
    table["formed"] = 0.0
    table.to_parquet(after / "users.parquet")
    with pytest.raises(UserError, match=r"users\.parquet does not fit its records"):
        judged(before, after)


@pytest.mark.parametrize("max_drop", [-0.1, 1.0, float("nan")])
def test_what_is_allowed_is_a_share(plant: Plant, max_drop: float) -> None:
    with pytest.raises(UserError, match="is no share of users"):
        judged(plant("before", cell(5)), plant("after", cell(5)), max_drop)


def test_the_assertion_fails_with_the_line_of_the_gate(plant: Plant) -> None:
    before, after = plant("before", steps(20, 10)), plant("after", steps(10, 30))
    with pytest.raises(AssertionError, match=r"weaker: mask .* finds 20 users more"):
        assert_defense_strength(after, baseline=before, max_drop=0.1)
    assert assert_defense_strength(before, baseline=before, max_drop=0.1).verdict == "passed"
