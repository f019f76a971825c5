"""The pictures of docs/architecture.md: drawn from the imports, and readable anywhere.

That they are what the code draws now is in test_docs.py, with the tables.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
DIAMOND = {"top": {"left", "right", "low"}, "left": {"low"}, "right": {"low"}, "low": set()}


@pytest.fixture
def architecture(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`.ci/architecture.py`, which draws."""
    monkeypatch.syspath_prepend(ROOT / ".ci")
    return importlib.import_module("architecture")


def test_an_arrow_that_others_imply_is_left_out(architecture: Any) -> None:
    # top -> low follows from top -> left -> low
    assert architecture.reduced(DIAMOND)["top"] == {"left", "right"}
    assert architecture.floors(DIAMOND) == {"top": 2, "left": 1, "right": 1, "low": 0}


def test_an_arrow_over_several_floors_bends_on_each(architecture: Any) -> None:
    edges = {"a": {"b", "d"}, "b": {"c"}, "c": set(), "d": set()}
    assert ["a", "a>d@1", "d"] in architecture.ways(edges)
    spots, width = architecture.places(edges)
    assert spots["a>d@1"][1] == spots["b"][1] == 1
    assert all(0 < x < width for x, _ in spots.values())


def test_imports_under_type_checking_are_no_arrows(architecture: Any) -> None:
    # bench.plan.axes names the type of a function for readers, and imports what its rows are made of
    imported = architecture.imports(architecture.ROOT / "bench" / "plan" / "axes.py")
    assert "bench.plan.chosen.UserFunction" not in imported
    assert "bench.plan.rows.axis" in imported
    assert "attack" in architecture.graph()["experiment"]


def test_the_page_says_rightly_which_arrow_is_left_out(architecture: Any) -> None:
    edges = architecture.graph()
    assert "experiment" in edges["cli"]
    assert "attack" in edges["experiment"]
    assert "attack" not in architecture.reduced(edges)["cli"]


def test_a_step_whose_room_is_gone_fails(architecture: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = architecture.Step("walk", ("corridor",), 0, 0)
    monkeypatch.setitem(architecture.STEPS, "walk", gone)
    with pytest.raises(SystemExit, match="'corridor', which is no room"):
        architecture.flow_picture()


@pytest.mark.parametrize("name", ["rooms.svg", "flow.svg"])
def test_a_picture_is_text_that_is_readable_on_light_and_on_dark(name: str) -> None:
    text = (ROOT / "docs" / name).read_text("utf-8")
    root = ElementTree.fromstring(text)
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert len(texts) > 20
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r"@font-face|<image|<script|https?://(?!www\.w3\.org/2000/svg)", text)


def test_every_room_is_in_the_picture(architecture: Any) -> None:
    text = (ROOT / "docs" / "rooms.svg").read_text("utf-8")
    assert {room for room in architecture.rooms() if f">{room}</text>" not in text} == set()
