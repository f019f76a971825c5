"""The page on attackers names every clusterer, all parameters of each, and defaults that are one number."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from bench import registry

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "attackers.md").read_text("utf-8")
NAMES = registry.names("attackers")
CLUSTERERS = [name for name in NAMES if hasattr(registry.load("attackers", name), "cluster")]


def section(name: str) -> str:
    match = re.search(rf"^### {re.escape(name)}\n(.*?)(?=^##)", PAGE + "\n## ", re.S | re.M)
    assert match, f"docs/attackers.md has no section on {name}"
    return match.group(1)


def rows(name: str) -> dict[str, str]:
    """Parameter -> default, of the section's table; a row may hold several."""
    listed: dict[str, str] = {}
    for names, defaults in re.findall(r"^\| (`[^|]+) \| ([^|]*) \|", section(name), re.M):
        every = re.findall(r"`(\w+)`", names)
        split = re.split(r", | and ", defaults.strip()) if len(every) > 1 else [defaults.strip()]
        listed |= dict(zip(every, split if len(split) == len(every) else [""] * len(every), strict=True))
    return listed


@pytest.mark.parametrize("name", CLUSTERERS)
def test_every_parameter_is_there_with_its_default(name: str) -> None:
    listed = rows(name)
    defaults = {field.name: field.default for field in fields(registry.load("attackers", name))}
    assert set(listed) == set(defaults)
    for parameter, default in defaults.items():
        assert default is not MISSING
        if default is None:
            assert listed[parameter] in ("tuned", "told", "by encoder", "")
        elif isinstance(default, int | float):
            assert float(listed[parameter]) == default


@pytest.mark.parametrize("name", NAMES)
def test_every_attacker_is_named(name: str) -> None:
    assert f"`{name}`" in PAGE or f"### {name}\n" in PAGE


@pytest.mark.parametrize("name", CLUSTERERS)
def test_an_oracle_is_called_one(name: str) -> None:
    assert section(name).startswith("An oracle.") == registry.load("attackers", name).card.oracle
