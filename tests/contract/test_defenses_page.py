"""The page on defenses names every defense, and all parameters of each with their defaults."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from bench import registry
from bench.types import Budget

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "defenses.md").read_text("utf-8")
NAMES = registry.names("defenses")


def section(name: str) -> str:
    match = re.search(rf"^### {re.escape(name)}\n(.*?)(?=^##)", PAGE + "\n## ", re.S | re.M)
    assert match, f"docs/defenses.md has no section on {name}"
    return match.group(1)


def number(text: str) -> float:
    above, _, below = text.partition("/")
    return float(above) / float(below or 1)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_there_with_its_default(name: str) -> None:
    listed: dict[str, str] = {}
    for left, right in re.findall(r"^\| (`[^|]+) \| ([^|]*) \|", section(name), re.M):
        listed |= dict(zip(re.findall(r"`(\w+)`", left), right.strip().split(", "), strict=True))
    parameters = fields(registry.load("defenses", name))
    assert set(listed) == {field.name for field in parameters}
    for field in parameters:
        text = listed[field.name]
        if isinstance(field.default, str):
            assert text == field.default
        else:
            assert isinstance(field.default, int | float)
            assert number(text) == field.default


def test_no_other_defense_has_a_section() -> None:
    assert sorted(re.findall(r"^### (\S+)$", PAGE, re.M)) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_published_budget_is_one_that_the_method_keeps(name: str) -> None:
    defense = registry.make("defenses", name)[1]
    for text in re.findall(r"`(?:--budget )?((?:linf|dssim|ssim):[\d.]+)`", section(name)):
        assert Budget.parse(text).kind in defense.card.keeps
        defense.check(Budget.parse(text))


def test_the_passes_of_the_transfer_attacks_are_those_of_their_parameters() -> None:
    counted: dict[str, Callable[[Any], int]] = {
        "admix": lambda p: p.mixes * p.scales,
        "bsr": lambda p: p.copies,
        "decowa": lambda p: 2 * p.warps,
        "pgn": lambda p: 2 * p.neighbours,
        "sia": lambda p: p.copies,
        "ssa": lambda p: p.spectra,
        "vmi": lambda p: 1 + p.neighbours,
    }
    rows = re.findall(r"^\| `(\w+)` \| .* \| (\d+) \|$", PAGE, re.M)
    assert len(rows) == 11
    for name, passes in rows:
        plugin = registry.make("defenses", name)[1]
        assert int(passes) == counted.get(name, lambda _: 1)(plugin)
