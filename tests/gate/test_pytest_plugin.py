"""The plug-in of pytest: the example of the page, a mark, properties, and nothing loaded for others."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

Plant = Callable[..., Path]
ROOT = Path(__file__).resolve().parents[2]
PLUGIN = "bench.gate.pytest_plugin"


def run(folder: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Pytest on one file in a folder of its own, with the plug-in as an installed one would be."""
    (folder / "test_it.py").write_text(text, "utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cloakbench", "-p", PLUGIN, "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, "--rootdir", str(folder), *options, str(folder)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def cell(count: int) -> dict[str, Any]:
    return {"found": [i < count for i in range(60)]}


def asserting(before: Path, after: Path, arguments: str = "") -> str:
    return f"""
import pytest

@pytest.mark.defense_strength(baseline={str(before)!r}, max_drop=0.1)
def test_strength(assert_defense_strength):
    assert_defense_strength({str(after)!r}{arguments})

def test_other():
    pass
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "tests"
    folder.mkdir()
    return folder


def test_it_is_an_entry_point_of_the_distribution() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"cloakbench": PLUGIN}


@pytest.mark.slow
def test_a_pass_and_a_failure_with_one_line_and_properties(plant: Plant, place: Path) -> None:
    before, weak = plant("before", cell(10)), plant("weak", cell(40))
    assert run(place, asserting(before, before), "--strict-markers", "-q").returncode == 0
    report = place / "junit.xml"
    done = run(place, asserting(before, weak), "--junitxml", str(report))
    assert done.returncode == 1
    assert "strength of defenses" in done.stdout
    assert len(re.findall(r"^weaker: mask .*finds 30 users more", done.stdout, re.M)) == 1
    case = next(ElementTree.parse(report).getroot().iter("testcase"))
    properties = {p.get("name"): p.get("value") for p in case.iter("property")}
    assert properties == {"defense_strength": "weaker", "defense_strength_largest_rise": "0.5"}


@pytest.mark.slow
def test_the_mark_selects_and_arguments_override_it(plant: Plant, place: Path) -> None:
    before, weak = plant("before", cell(10)), plant("weak", cell(40))
    done = run(place, asserting(before, weak, ", max_drop=0.8"), "-q", "-m", "defense_strength")
    assert "1 passed, 1 deselected" in done.stdout
    done = run(place, asserting(before, weak).replace("max_drop=0.1", ""), "-q")
    assert "max_drop of the gate are needed" in done.stdout


def test_strength_and_time_are_two_tests(plant: Plant, place: Path) -> None:
    before = plant("before", cell(10))
    mixed = asserting(before, before).replace(
        "(assert_defense_strength)", "(assert_defense_strength, benchmark)"
    )
    done = run(place, mixed)
    assert done.returncode == 4
    assert "gates strength and measures time. Make two tests of it." in done.stdout + done.stderr


def test_others_pay_for_nothing_that_they_do_not_use(place: Path) -> None:
    text = """
import sys

def test_nothing_is_loaded():
    assert not {"numpy", "torch", "pandas", "pydantic", "scipy", "typer"} & set(sys.modules)
"""
    done = run(place, text, "-q", "-p", "no:hypothesispytest", "-p", "no:benchmark", "-p", "no:jaxtyping")
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_the_example_of_the_page_gates(plant: Plant, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "gate-a-defense.md").read_text("utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```", page, re.S | re.M)
    small = 'users=3, photos=4, background=4, dataset="synthetic:people=20,photos-each=6", out='
    example = example.replace("out=", small)
    assert small in example
    monkeypatch.syspath_prepend(place)
    made = (
        example.split("@pytest")[0] + example[example.index("    bench.run(") : example.index("    assert_")]
    )
    script = "from pathlib import Path\ntmp_path = Path('baselines/advmask')\n" + re.sub(
        r"(?m)^    ", "", made
    )
    subprocess.run([sys.executable, "-c", script], cwd=place, check=True, capture_output=True)
    done = run(place, example, "-q")
    assert done.returncode == 0, done.stdout
    assert "advmask_is_as_strong_as_it_was: passed: " in done.stdout
