"""Reports for CI: the verdict first, small enough, and nothing in a name is markup or a command."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bench.board.render import text as text_renderer
from bench.gate.reports import MOST_BYTES, commands, to_json, to_junit, to_markdown
from bench.gate.table import log_table
from bench.gate.verdict import Verdict, gate
from bench.gate.words import annotated, logged, short
from bench.records.record import Named

Plant = Callable[..., Path]
HOSTILE = "x\n::error::owned <script>|`&\"']]>##[debug] \x00\x1b[31m\ufffe\u202e%0A,:"


def cell(name: str, count: int | None, **changes: Any) -> dict[str, Any]:
    found = None if count is None else [i < count for i in range(60)]
    return {"attacker": Named(name=name), "found": found, **changes}


@pytest.fixture
def mixed(plant: Plant) -> Verdict:
    """A weaker, an undecided, an equal and a failed comparison."""
    counts: dict[str, tuple[int, int | None]] = {"a": (5, 30), "b": (5, 9), "c": (5, 5), "d": (5, None)}
    before = plant("before", *(cell(name, old) for name, (old, _) in counts.items()))
    return gate(plant("after", *(cell(name, new) for name, (_, new) in counts.items())), before, 0.1)


def test_junit_has_a_case_a_comparison_and_one_for_what_could_not_be_told(mixed: Verdict) -> None:
    suite = ElementTree.fromstring(to_junit(mixed).split("\n", 1)[1]).find("testsuite")
    assert suite is not None
    cases = {case.get("name", ""): case for case in suite.iter("testcase")}
    assert suite.get("tests") == str(len(cases)) == "5"
    assert (suite.get("failures"), suite.get("errors"), suite.get("skipped")) == ("3", "1", "0")
    failure = cases["cfr attack a / net"].find("failure")
    assert failure is not None
    assert failure.get("type") == "weaker"
    assert "finds 25 users more" in failure.get("message", "")
    assert cases["cfr attack c / net"].find("failure") is None
    (error,) = [case for name, case in cases.items() if "the new cell failed" in name]
    assert error.find("error") is not None


def test_the_summary_begins_with_the_verdict_and_folds_the_rest(mixed: Verdict) -> None:
    lines = to_markdown(mixed).splitlines()
    assert lines[0] == "## bench gate: weaker"
    assert lines[2].startswith("weaker: mask ")
    text = "\n".join(lines)
    before, _, folded = text.partition("<details>")
    assert "| weaker | mask |" in before
    assert "passed" not in before
    assert "could not compare mask / introduced / linf:8 / d / net" in before
    assert "passed" in folded


def test_the_summary_stays_below_a_mebibyte(mixed: Verdict) -> None:
    row = replace(mixed.rows[0], defense="é" * 5000, changes=("y" * 90_000,) * 60)
    large = replace(mixed, rows=(row,) * 1000, notes=("n" * 90_000,) * 500, headline="h" * 90_000)
    text = to_markdown(large)
    assert len(text.encode()) < 2**20
    assert len(text.encode()) > MOST_BYTES // 8
    assert "more are left out here" in text


def test_at_most_ten_annotations_and_the_reason_is_the_first(mixed: Verdict) -> None:
    lines = list(commands(mixed))
    assert lines[0].startswith("::error title=bench gate%3A weaker::weaker: mask ")
    assert len(list(commands(replace(mixed, rows=mixed.rows * 20)))) == 10
    passed = replace(mixed, verdict="passed", headline="passed: all", rows=(), obstacles=(), notes=())
    assert list(commands(passed)) == ["::notice title=bench gate%3A passed::passed: all"]


def test_json_is_the_whole_verdict(mixed: Verdict) -> None:
    document = json.loads(to_json(mixed))
    assert (document["verdict"], document["status"], document["max_drop"]) == ("weaker", 1, 0.1)
    assert len(document["rows"]) == len(mixed.rows)
    assert document["rows"][0]["rise"]["value"] == mixed.rows[0].rise.value


def hostile(plant: Plant) -> Verdict:
    named = Named(name=HOSTILE, parameters={HOSTILE: HOSTILE})
    other = Named(name=HOSTILE, parameters={HOSTILE: "z" + HOSTILE})
    common: dict[str, Any] = {"encoder": named, "surrogate": [named], "detector": named, "adaptation": named}
    before = plant(
        "before", cell(HOSTILE, 5, defense=named, **common), cell("ok", 5, defense=named, **common)
    )
    after = plant(
        "after",
        cell(HOSTILE, 50, defense=other, **common),
        cell("ok", None, error=HOSTILE, defense=named, **common),
    )
    return gate(after, before, 0.1)


def test_hostile_names_are_no_commands_no_markup_and_no_broken_xml(plant: Plant) -> None:
    verdict = hostile(plant)
    assert verdict.verdict == "weaker"
    for line in commands(verdict):
        assert "\n" not in line and "\r" not in line
        head, _, message = line.removeprefix("::").partition("::")
        assert head.count("title=") == 1 and "," not in head
        assert "\x1b" not in message
    summary = to_markdown(verdict)
    assert "<script>" not in summary
    assert "\x1b" not in summary and "\x00" not in summary
    ElementTree.fromstring(to_junit(verdict).split("\n", 1)[1])
    log = text_renderer.render(log_table(verdict))
    assert "::" not in log and "##[" not in log and "\x1b" not in log


def test_words_are_escaped_for_their_place() -> None:
    assert annotated("a%\r\nb:c,d") == "a%25%0D%0Ab:c,d"
    assert annotated("a:b,c", in_property=True) == "a%3Ab%2Cc"
    assert logged("::error::x ##[group]y") == ": :error: :x ## [group]y"
    assert short("a\n b" + "c" * 400, 10) == "a bcccccc…"
