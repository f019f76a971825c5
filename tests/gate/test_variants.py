"""Two of one defense in a baseline: the gate tells them apart, and an acknowledgement means one of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bench.errors import UserError
from bench.gate.reports import to_junit
from bench.gate.verdict import Verdict, gate
from bench.records.record import Named

Plant = Callable[..., Path]


def cell(descent: str, count: int, **changes: Any) -> dict[str, Any]:
    """A cell of `pgd` in which the first `count` of 60 users are found."""
    defense = Named(name="pgd", parameters={"steps": 20, "descent": descent})
    return {"found": [i < count for i in range(60)], "defense": defense, **changes}


def judged(before: Path, after: Path, *names: str) -> Verdict:
    return gate(after, before, 0.1, names, today=date(2027, 1, 15))


def acknowledge(folder: Path, *defenses: str) -> None:
    entry = '[[acknowledged]]\ndefense = "{}"\nwho = "Ada"\nwhy = "quicker"\nuntil = 2027-01-31\n'
    (folder / "acknowledged.toml").write_text("".join(map(entry.format, defenses)), "utf-8")


def states(verdict: Verdict) -> dict[str, str]:
    return {row.defense: row.state for row in verdict.rows}


@pytest.fixture
def folders(plant: Plant) -> tuple[Path, Path]:
    """Two variants of one defense, of which both have become weaker."""
    before = plant("before", cell("plain", 10), cell("diverse", 5))
    return before, plant("after", cell("plain", 40), cell("diverse", 45))


def test_each_is_printed_under_its_own_name(folders: tuple[Path, Path]) -> None:
    verdict = judged(*folders)
    assert states(verdict) == {"pgd:descent=diverse": "weaker", "pgd:descent=plain": "weaker"}
    assert verdict.headline.startswith("weaker: pgd:descent=diverse (introduced")  # the larger rise
    suite = ElementTree.fromstring(to_junit(verdict).split("\n", 1)[1])
    classes = {case.get("classname", "").split(".")[0] for case in suite.iter("testcase")}
    assert classes == {"pgd:descent=diverse", "pgd:descent=plain"}


def test_what_could_not_be_compared_names_the_variant(plant: Plant) -> None:
    before = plant("before", cell("plain", 10), cell("diverse", 5))
    verdict = judged(before, plant("after", cell("plain", 10), cell("diverse", 5, found=None)))
    assert verdict.obstacles[0].startswith("pgd:descent=diverse / introduced / ")
    missing = judged(before, plant("less", cell("plain", 10)))
    assert missing.obstacles == (
        "pgd:descent=diverse / introduced / linf:8 / dbscan / net: the new run has no such cell",
    )


def test_an_acknowledgement_of_one_leaves_the_other(folders: tuple[Path, Path]) -> None:
    acknowledge(folders[0], "pgd:descent=diverse")
    verdict = judged(*folders)
    assert states(verdict) == {"pgd:descent=diverse": "acknowledged", "pgd:descent=plain": "weaker"}
    assert verdict.verdict == "weaker"
    acknowledge(folders[0], "pgd:descent=diverse", "pgd:descent=plain")
    assert judged(*folders).verdict == "passed"


def test_a_bare_name_covers_none_of_several_and_the_gate_says_which_there_are(
    folders: tuple[Path, Path],
) -> None:
    acknowledge(folders[0], "pgd")
    verdict = judged(*folders)
    assert set(states(verdict).values()) == {"weaker"}
    (note,) = verdict.notes
    assert note.startswith(
        "the acknowledgement covers nothing until it names pgd:descent=diverse or pgd:descent=plain: pgd: Ada"
    )


def test_a_bare_name_covers_the_only_one_whatever_else_the_new_run_holds(plant: Plant) -> None:
    before = plant("before", cell("plain", 10))
    after = plant("after", cell("plain", 40), cell("diverse", 45))
    acknowledge(before, "pgd")
    verdict = judged(before, after)
    assert (states(verdict), verdict.verdict) == ({"pgd": "acknowledged"}, "passed")
    assert verdict.notes == ("1 cells of the new run are not in the baseline, and are not gated",)


def test_one_variant_can_be_gated_by_itself_or_all_of_a_name(folders: tuple[Path, Path]) -> None:
    assert set(states(judged(*folders, "pgd"))) == {"pgd:descent=diverse", "pgd:descent=plain"}
    assert set(states(judged(*folders, "pgd:descent=plain"))) == {"pgd:descent=plain"}
    with pytest.raises(UserError, match="no defense 'pgd:descent=plane'"):
        judged(*folders, "pgd:descent=plane")
