"""Tests mirror the rooms, and share what they need instead of writing it twice."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
PLUGIN_FOLDERS = {"defenses", "attackers", "datasets"}
OTHERS = {
    "architecture": "who may import whom, and what the sources must not hold",
    "contract": "one promise a line, over every name in the registry",
    "injecting": "the folder `.ci/injecting`",
    "upgrade": "a store and records of the version before",
    "measuring": "the folder `.ci/measuring`",
    "packaging": "the wheel, the pages, the set-up and the workflow",
    "perf": "benchmarks",
    "real": "real photos and real encoders",
    "shelf": "the files at the top level of bench/",
}
"""Folders of tests that are about no single room."""


def folders_of_python(root: Path) -> set[str]:
    return {path.relative_to(root).parts[0] for path in root.glob("*/**/*.py")}


def test_every_room_has_its_folder_of_tests() -> None:
    rooms = folders_of_python(ROOT / "bench")
    assert rooms
    assert sorted(rooms - folders_of_python(TESTS)) == []


def test_every_folder_of_tests_is_about_a_room_or_says_what_it_is_about() -> None:
    others = folders_of_python(TESTS) - folders_of_python(ROOT / "bench") - PLUGIN_FOLDERS
    assert others == OTHERS.keys()


def test_no_fixture_is_written_twice() -> None:
    places: dict[str, list[str]] = {}
    for path in sorted(TESTS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and any(
                "fixture" in ast.unparse(d) for d in node.decorator_list
            ):
                body = [ast.unparse(part) for part in node.body if not is_text(part)]
                if not re.search(r"\b[A-Z]{3,}\b", body[0]):  # a constant is each module's own
                    places.setdefault("\n".join(body), []).append(f"{path.relative_to(ROOT)}: {node.name}")
    assert len(places) > 20
    assert [where for where in places.values() if len(where) > 1] == []


def is_text(part: ast.stmt) -> bool:
    return isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)
