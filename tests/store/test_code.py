"""The code behind a key is read off the imports: whatever a module reaches counts, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.encoders.families import own
from bench.store import code

FILES = {
    "stage": "from . import near\n\ndef f(x):\n    from some_house.far import g\n    return g(x)\n",
    "near": "one = 1\n",
    "far": "import numpy\nimport no_such_library\n\ndef g(x):\n    return numpy.abs(x)\n",
    "apart": "two = 2\n",
    "noun": "class Noun: ...\n",
    "typed": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from some_house import noun\n",
}


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package that can be changed while the process runs."""
    package = tmp_path / "some_house"
    package.mkdir()
    (package / "__init__.py").write_text("")
    for name, source in FILES.items():
        (package / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    code.forget()
    yield package
    code.forget()


@pytest.mark.usefixtures("house")
def test_a_closure_is_what_is_reached_by_imports_of_any_form() -> None:
    assert code.closure("some_house.stage") == {
        "some_house",
        "some_house.stage",
        "some_house.near",
        "some_house.far",
    }
    assert code.libraries_of("some_house.stage") == ("no-such-library", "numpy")
    # a name for readers and mypy alone is not imported; the package is, whenever something in it is
    assert code.closure("some_house.typed") == {"some_house.typed"}


@pytest.mark.parametrize(
    ("file", "source", "changes"),
    [
        ("near", "one = 2\n", True),
        ("far", FILES["far"].replace("abs", "negative"), True),
        ("apart", "two = 3\n", False),
        ("near", '"""What is near."""\n\n# a comment\none = (1)\n', False),
        ("stage", FILES["stage"].replace("def f(x):", 'def f(x):\n    """Adds."""'), False),
        ("stage", FILES["stage"].replace("def f(x):", "def f(x):\n    y = 'text'"), True),
    ],
)
def test_code_that_is_reached_counts_and_comments_do_not(
    house: Path, file: str, source: str, *, changes: bool
) -> None:
    before = code.code_of("some_house.stage")
    (house / f"{file}.py").write_text(source)
    code.forget()
    assert (code.code_of("some_house.stage") != before) == changes


def test_a_module_that_is_not_there_is_no_empty_closure() -> None:
    with pytest.raises(ModuleNotFoundError):
        code.closure("bench.no_such_room")


def test_every_silent_room_is_left_out_of_something(monkeypatch: pytest.MonkeyPatch) -> None:
    # a room that was renamed would count again without a word, and a name too many would hide a later room
    kept = code.SILENT_ROOMS
    monkeypatch.setattr(code, "SILENT_ROOMS", frozenset())
    code.forget()
    stages = ("bench.experiment.pipeline", *(family.module for family in own()))
    everything = set().union(*(code.closure(stage) for stage in stages))
    code.forget()
    assert not [name for name in kept if name not in everything]


def test_a_distribution_that_does_not_list_its_package_is_found_by_its_files(house: Path) -> None:
    # dlib-bin lists its compiled module alone: the version of the detector would be in no key
    (house.parent / "brought.py").write_text("import brought_library\n")
    (house.parent / "brought_library").mkdir()
    (house.parent / "brought_library" / "__init__.py").write_text("")
    installed = house.parent / "brought_bin-1.2.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: brought-bin\nVersion: 1.2\n")
    (installed / "top_level.txt").write_text("_compiled\n")
    (installed / "RECORD").write_text("_compiled.so,,\nbrought_library/__init__.py,,\n")
    assert code.libraries_of("brought") == ("brought-bin",)
    assert code.stage_code("brought")[1] == {"brought-bin": "1.2"}
